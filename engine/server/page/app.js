// The page: who is logged in, the frame around the views, and the view that the address names.
import { get, whenLoggedOut } from "./api.js";
import { DropZone } from "./drop.js";
import { loadFavourites } from "./favourites.js";
import { html, render, useEffect, useRef } from "./html.js";
import { KeysDialog, installKeys } from "./keys.js";
import { Nav } from "./nav.js";
import { notices } from "./notices.js";
import { PlayerBar } from "./playerbar.js";
import { PlaylistDialog } from "./playlists.js";
import { place } from "./router.js";
import { session } from "./session.js";
import { useStore } from "./store.js";
import { texts } from "./texts.js";
import { Empty, Failed, Loading } from "./parts/states.js";
import { AlbumView } from "./views/album.js";
import { ArtistView } from "./views/artist.js";
import { DuplicatesView } from "./views/duplicates.js";
import { HomeView } from "./views/home.js";
import { IndexingView } from "./views/indexing.js";
import { AlbumsView, ArtistsView, TracksView } from "./views/library.js";
import { LoginView } from "./views/login.js";
import { MapView } from "./views/map.js";
import { PlaylistView } from "./views/playlist.js";
import { PlaylistsView } from "./views/playlists.js";
import { QueueView } from "./views/queue.js";
import { SearchBox, SearchView } from "./views/search.js";
import { SettingsView } from "./views/settings.js";
import { TrackView } from "./views/track.js";
import { UploadView } from "./views/upload.js";

const VIEWS = {
  home: HomeView, albums: AlbumsView, album: AlbumView, artists: ArtistsView, artist: ArtistView, tracks: TracksView,
  track: TrackView, search: SearchView, map: MapView, queue: QueueView, duplicates: DuplicatesView,
  playlists: PlaylistsView, playlist: PlaylistView, indexing: IndexingView, settings: SettingsView, upload: UploadView,
};

function Missing() {
  return html`<h1 class="hidden">${texts.errors.notFound}</h1>
    <${Empty} icon="search" title=${texts.errors.notFound} hint=${texts.errors.notFoundHint} />`;
}

function Main() {
  const here = useStore(place, (value) => value);
  const scroller = useRef(null);
  const key = `${here.view}/${here.id}`;
  const first = useRef(true);
  useEffect(() => {
    scroller.current.scrollTop = 0;
    if (!first.current && here.view !== "search") scroller.current.focus({ preventScroll: true });
    first.current = false;
  }, [key]);
  const View = VIEWS[here.view] || Missing;
  return html`<main ref=${scroller} id="main" tabindex="-1" data-scroller data-view=${here.view}>
    <${View} key=${here.view === "search" ? "search" : key} id=${here.id} query=${here.query} /></main>`;
}

function Notices() {
  const list = useStore(notices, (value) => value.list);
  return html`<div class="notices" role="status" aria-live="polite">
    ${list.map((each) => html`<p class="notice" data-kind=${each.kind} key=${each.id}>${each.text}</p>`)}</div>`;
}

function App() {
  const { user, needed, error } = useStore(session, (value) => value);
  if (error) return html`<main class="alone"><${Failed} error=${error} retry=${whoIsThere} /></main>`;
  if (needed) return html`<${LoginView} onDone=${whoIsThere} />`;
  if (!user) return html`<main class="alone"><h1 class="hidden">${texts.product}</h1><${Loading} /></main>`;
  return html`<a class="skip" href="#main" onClick=${skip}>${texts.skip}</a>
    <div class="frame"><${Nav} />
      <div class="column"><header class="top"><${SearchBox} /></header><${Main} /></div></div>
    <${PlayerBar} /><${Notices} /><${KeysDialog} /><${PlaylistDialog} /><${DropZone} />`;
}

function skip(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}

async function whoIsThere() {
  try {
    session.set({ user: await get("session"), needed: false, error: null });
    loadFavourites();
  } catch (error) {
    if (error.status === 401) session.set({ user: null, needed: true, error: null });
    else session.set({ error });
  }
}

whenLoggedOut(() => session.set({ user: null, needed: true }));
installKeys();
const root = document.getElementById("app");
root.replaceChildren(); // the name that index.html shows meanwhile
render(html`<${App} />`, root);
whoIsThere();
