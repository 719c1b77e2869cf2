// Saved playlists: requests that several views make, and the dialog that adds tracks to one.
import * as api from "./api.js";
import { html, useEffect, useRef } from "./html.js";
import { say, sayError } from "./notices.js";
import { go, link } from "./router.js";
import { createStore, useLoad, useStore } from "./store.js";
import { texts } from "./texts.js";
import { Icon } from "./parts/icons.js";
import { Answer } from "./parts/states.js";

const chooser = createStore({ tracks: null, name: "" });

// Let the user choose the playlist that tracks are added to; `name` is offered for a new one.
export const addToPlaylist = (tracks, name = "") =>
  chooser.set({ tracks: tracks.map((track) => track.track_id), name });

// Save a playlist; returns its document, or null when the server refuses.
export async function savePlaylist(name, tracks) {
  try {
    const made = await api.post("playlists", { name, tracks });
    say(texts.playlists.saved(made.name));
    return made;
  } catch (error) {
    sayError(error);
    return null;
  }
}

// Read an M3U8 file of this computer into a playlist, and tell how many entries were not found.
export async function importPlaylist(file) {
  try {
    const name = file.name.replace(/\.[^.]*$/, "") || file.name;
    const made = await api.postText(`playlists/import`, { name }, await file.arrayBuffer(), "audio/x-mpegurl");
    say(texts.playlists.imported(made.found, made.not_found));
    go(link("playlist", made.playlist.playlist_id, made.not_found ? { missing: made.missing.slice(0, 20).join("\n") } : {}));
  } catch (error) {
    sayError(error);
  }
}

export function PlaylistDialog() {
  const tracks = useStore(chooser, (value) => value.tracks);
  return tracks && html`<${Chooser} tracks=${tracks} name=${chooser.get().name} />`;
}

function Chooser({ tracks, name }) {
  const dialog = useRef(null);
  const found = useLoad((signal) => api.get("playlists", {}, signal), []);
  useEffect(() => dialog.current.showModal(), []);
  const close = () => dialog.current.close();
  const create = async (event) => {
    event.preventDefault();
    if (await savePlaylist(event.target.elements.name.value, tracks)) close();
  };
  const add = async (playlist) => {
    try {
      await api.patch(`playlists/${playlist.playlist_id}`, { added: tracks });
      say(texts.playlists.addedTo(tracks.length, playlist.name));
      close();
    } catch (error) {
      sayError(error);
    }
  };
  return html`<dialog ref=${dialog} class="dialog narrow" aria-labelledby="chooser-heading"
      onClose=${() => chooser.set({ tracks: null })}>
    <header><h2 id="chooser-heading">${texts.playlists.choose(tracks.length)}</h2>
      <button class="icon-button" aria-label=${texts.close} onClick=${close}><${Icon} name="close" /></button></header>
    <form class="inline-form" onSubmit=${create}><label><span>${texts.playlists.newName}</span>
      <input name="name" required maxlength="200" defaultValue=${name} autocomplete="off" /></label>
      <button class="button">${texts.playlists.create}</button></form>
    <${Answer} of=${found} rows=${2} show=${({ playlists }) => html`<ul class="choices">${playlists.filter((each) => each.own)
      .map((each) => html`<li key=${each.playlist_id}><button class="choice" onClick=${() => add(each)}>
        <span dir="auto">${each.name}</span><span class="muted">${texts.tracks(each.tracks)}</span></button></li>`)}</ul>`} />
  </dialog>`;
}
