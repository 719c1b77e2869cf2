// The saved playlists: own ones and those that other users show; import of M3U8 files.
import { get } from "../api.js";
import { html } from "../html.js";
import { Cover } from "../parts/cover.js";
import { length } from "../parts/format.js";
import { Icon } from "../parts/icons.js";
import { Answer, Empty } from "../parts/states.js";
import { playTracks } from "../player.js";
import { importPlaylist, savePlaylist } from "../playlists.js";
import { sayError } from "../notices.js";
import { go, link } from "../router.js";
import { useLoad } from "../store.js";
import { texts } from "../texts.js";

export function PlaylistsView() {
  const found = useLoad((signal) => get("playlists", {}, signal), []);
  const create = async (event) => {
    event.preventDefault();
    const made = await savePlaylist(event.target.elements.name.value, []);
    if (made) go(link("playlist", made.playlist_id));
  };
  return html`<div class="view"><header class="view-head"><div><h1>${texts.nav.playlists}</h1>
      <p class="muted" role="status">${found.data ? texts.playlists.count(found.data.playlists.length) : texts.loading}</p></div>
      <div class="buttons"><form class="inline-form" onSubmit=${create}><label><span class="hidden">${texts.playlists.newName}</span>
          <input name="name" required maxlength="200" placeholder=${texts.playlists.newName} autocomplete="off" /></label>
          <button class="button">${texts.playlists.create}</button></form>
        <label class="button quiet file-button"><${Icon} name="file" />${texts.playlists.import}
          <input type="file" accept=".m3u8,.m3u" onChange=${(event) => {
            const [file] = event.target.files;
            event.target.value = "";
            if (file) importPlaylist(file);
          }} /></label></div></header>
    <${Answer} of=${found} show=${({ playlists }) => playlists.length
      ? html`<div class="card-grid" role="list" aria-label=${texts.nav.playlists}>
          ${playlists.map((each) => html`<${PlaylistCard} key=${each.playlist_id} playlist=${each} />`)}</div>`
      : html`<${Empty} icon="playlists" title=${texts.playlists.none} hint=${texts.playlists.noneHint} />`} /></div>`;
}

function PlaylistCard({ playlist }) {
  const { playlist_id: id, name, cover, own, owner, tracks, seconds } = playlist;
  const play = async () => {
    try {
      playTracks((await get(`playlists/${id}`)).track_list);
    } catch (error) {
      sayError(error);
    }
  };
  return html`<div class="card" role="listitem"><div class="card-cover">
      <a href=${link("playlist", id)} tabindex="-1" aria-hidden="true"><${Cover} track=${cover} seed=${`playlist ${id}`} size=${256} /></a>
      ${tracks > 0 && html`<button class="card-play" onClick=${play} aria-label=${texts.track.play(name)}>
        <${Icon} name="play" /></button>`}</div>
    <a class="card-title" dir="auto" href=${link("playlist", id)}>${name}</a>
    <span class="card-artist">${texts.tracks(tracks)}${tracks ? ` · ${length(seconds)}` : ""}${own ? "" : ` · ${owner}`}</span></div>`;
}
