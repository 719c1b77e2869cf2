// An album: its cover, its tracks, a radio from it.
import { get } from "../api.js";
import { html } from "../html.js";
import { Cover } from "../parts/cover.js";
import { length } from "../parts/format.js";
import { StarButton } from "../parts/favourite.js";
import { Icon } from "../parts/icons.js";
import { TrackRow } from "../parts/rows.js";
import { Answer } from "../parts/states.js";
import { shuffled } from "../parts/cards.js";
import { enqueue, playTracks } from "../player.js";
import { say } from "../notices.js";
import { addToPlaylist } from "../playlists.js";
import { startRadio } from "../radio.js";
import { link } from "../router.js";
import { useLoad } from "../store.js";
import { texts } from "../texts.js";

export function AlbumView({ id }) {
  const album = useLoad((signal) => get(`albums/${encodeURIComponent(id)}`, {}, signal), [id]);
  return html`<${Answer} of=${album} level="h1" show=${(data) => html`<${Album} album=${data} />`} />`;
}

function Album({ album }) {
  const tracks = album.track_list;
  const facts = [album.year, ...album.genres.slice(0, 2), texts.tracks(album.tracks), length(album.seconds)];
  const seeds = tracks.map((track) => String(track.track_id));
  return html`<div class="view"><header class="hero with-cover">
      <${Cover} track=${album.cover} seed=${album.album_id} size=${512} />
      <div><h1 dir="auto">${album.name}</h1>
        <p class="hero-artist"><a dir="auto" href=${link("artist", album.artist_id)}>${album.artist}</a></p>
        <p class="muted">${facts.filter(Boolean).join(" · ")}</p></div>
        <div class="buttons">
          <button class="button" onClick=${() => playTracks(tracks)}><${Icon} name="play" />${texts.list.playAll}</button>
          <button class="button quiet" onClick=${() => playTracks(shuffled(tracks))}>${texts.list.shuffle}</button>
          <button class="button quiet" onClick=${() => startRadio(seeds, album.name)}><${Icon} name="radio" />
            ${texts.track.radioButton}</button>
          <button class="button quiet" onClick=${() => {
            enqueue(tracks);
            say(texts.queue.addedMany(tracks.length));
          }}><${Icon} name="add" />${texts.track.queueButton}</button>
          <${StarButton} item=${album.album_id} name=${album.name} label=${true} />
          <button class="button quiet" onClick=${() => addToPlaylist(tracks, album.name)}><${Icon} name="playlists" />
            ${texts.playlists.addButton}</button></div></header>
    <div class="rows" role="list" aria-label=${album.name}>${tracks.map((track, index) => html`
      <${TrackRow} key=${track.track_id} track=${track} play=${() => playTracks(tracks, index)} />`)}</div></div>`;
}
