// The first view: new albums, recommendations, radios from genres; in an empty library, how to add music.
import { get } from "../api.js";
import { html } from "../html.js";
import { AlbumCard, Shelf } from "../parts/cards.js";
import { genreColour } from "../parts/colours.js";
import { artistOf, count, titleOf } from "../parts/format.js";
import { Icon } from "../parts/icons.js";
import { Answer, Loading } from "../parts/states.js";
import { Cover } from "../parts/cover.js";
import { ChooseFile } from "../drop.js";
import { playTracks } from "../player.js";
import { complete, radioFromTrack } from "../radio.js";
import { link } from "../router.js";
import { useLoad } from "../store.js";
import { texts } from "../texts.js";
import { WelcomeView } from "./welcome.js";

const SHELF = 14; // cards of a shelf
const GENRES = 15;

export function HomeView() {
  const first = useLoad((signal) => get("albums", { sort: "added", limit: SHELF }, signal), []);
  return html`<${Answer} of=${first} level="h1" show=${(data) =>
    data.total ? html`<${Shelves} albums=${data} />` : html`<${WelcomeView} onReady=${first.reload} />`} />`;
}

function Shelves({ albums }) {
  const genres = useLoad((signal) => get("genre-tags", {}, signal), []);
  const advised = useLoad(async (signal) => {
    const { tracks } = await get("recommend", { n: SHELF }, signal);
    const reasons = new Map(tracks.map((track) => [track.track_id, track.reason]));
    return (await complete(tracks)).map((track) => ({ ...track, reason: reasons.get(track.track_id) }));
  }, []);
  if (genres.loading || advised.loading) return html`<div class="view"><h1>${texts.home.heading}</h1><${Loading} rows=${8} /></div>`;
  return html`<div class="view"><header class="hero"><div><h1>${texts.home.heading}</h1>
      <p class="muted">${texts.home.mixHint}</p></div>
      <div class="buttons"><button class="button" onClick=${playAnything}><${Icon} name="radio" />${texts.home.mix}</button>
      <${ChooseFile} /></div></header>
    ${advised.data?.length > 0 && html`<${Shelf} title=${texts.home.forYou}>
      ${advised.data.map((track, index) => html`<${TrackCard} key=${track.track_id} track=${track}
        play=${() => playTracks(advised.data, index)} />`)}<//>`}
    <${Shelf} title=${texts.home.added} more=${link("albums", "", { sort: "added" })}>
      ${albums.albums.map((album) => html`<${AlbumCard} key=${album.album_id} album=${album} />`)}<//>
    <section class="shelf"><header><h2>${texts.home.genres}</h2><a href=${link("tracks")}>${texts.home.all}</a></header>
      <div class="tiles">${(genres.data?.genres || []).slice(0, GENRES).map(({ genre, tracks }) => html`
        <a key=${genre} class="tile" style=${{ "--tile": genreColour(genre) }} href=${link("tracks", "", { genre })}>
          <span class="tile-name" dir="auto">${genre}</span><span class="tile-count">${count(tracks)}</span></a>`)}</div>
    </section></div>`;
}

function TrackCard({ track, play }) {
  return html`<div class="card" role="listitem"><div class="card-cover">
      <a href=${link("track", track.track_id)} tabindex="-1" aria-hidden="true">
        <${Cover} track=${track.track_id} seed=${track.album_id || track.track_id} size=${256} /></a>
      <button class="card-play" onClick=${play} aria-label=${texts.track.play(texts.by(titleOf(track), artistOf(track)))}>
        <${Icon} name="play" /></button></div>
    <a class="card-title" dir="auto" href=${link("track", track.track_id)}>${titleOf(track)}</a>
    <span class="card-artist" dir="auto" title=${track.reason}>${artistOf(track)}</span></div>`;
}

async function playAnything() {
  const { total } = await get("tracks", { limit: 1 });
  const { tracks } = await get("tracks", { limit: 1, offset: Math.floor(Math.random() * total) });
  if (tracks.length) radioFromTrack(tracks[0]);
}
