// A saved playlist: play it, reorder and remove its tracks, rename, show to others, export, delete.
import { get, patch, remove, url } from "../api.js";
import { html, useRef, useState } from "../html.js";
import { shuffled } from "../parts/cards.js";
import { Cover } from "../parts/cover.js";
import { length, titleOf } from "../parts/format.js";
import { Icon } from "../parts/icons.js";
import { TrackRow } from "../parts/rows.js";
import { Answer, Empty } from "../parts/states.js";
import { say, sayError } from "../notices.js";
import { playTracks } from "../player.js";
import { startRadio } from "../radio.js";
import { go, link } from "../router.js";
import { session } from "../session.js";
import { useLoad, useStore } from "../store.js";
import { texts } from "../texts.js";

const SEEDS = 20; // tracks of which a radio is made

export function PlaylistView({ id, query }) {
  const found = useLoad((signal) => get(`playlists/${encodeURIComponent(id)}`, {}, signal), [id]);
  return html`<${Answer} of=${found} level="h1" show=${(data) => html`<${Playlist} key=${data.changed_at} first=${data}
    missing=${query.missing} />`} />`;
}

function Playlist({ first, missing }) {
  const [playlist, setPlaylist] = useState(first);
  const { playlist_id: id, name, own, track_list: tracks } = playlist;
  const change = async (changes, list = tracks) => {
    setPlaylist({ ...playlist, ...changes, tracks: list.length, track_list: list });
    try {
      await patch(`playlists/${id}`, changes);
    } catch (error) {
      setPlaylist(playlist);
      sayError(error);
    }
  };
  const arrange = (list) => change({ tracks: list.map((track) => track.track_id) }, list);
  const seconds = tracks.reduce((sum, track) => sum + track.seconds, 0);
  return html`<div class="view"><header class="hero with-cover">
      <${Cover} track=${tracks[0]?.track_id ?? null} seed=${`playlist ${id}`} size=${512} />
      <div><${Name} name=${name} own=${own} rename=${(value) => change({ name: value })} />
        <p class="muted">${[texts.tracks(tracks.length), tracks.length && length(seconds),
          !own && texts.playlists.by(playlist.owner)].filter(Boolean).join(" · ")}</p></div>
      <div class="buttons">
        <button class="button" disabled=${!tracks.length} onClick=${() => playTracks(tracks)}><${Icon} name="play" />
          ${texts.list.playAll}</button>
        <button class="button quiet" disabled=${!tracks.length} onClick=${() => playTracks(shuffled(tracks))}>
          ${texts.list.shuffle}</button>
        <button class="button quiet" disabled=${!tracks.length} onClick=${() =>
          startRadio(shuffled(tracks).slice(0, SEEDS).map((track) => String(track.track_id)), name)}>
          <${Icon} name="radio" />${texts.track.radioButton}</button>
        <a class="button quiet" href=${url(`playlists/${id}/m3u8`)} download>${texts.playlists.export}</a>
        ${own && html`<${OwnButtons} playlist=${playlist} change=${change} />`}</div></header>
    ${missing && html`<details class="panel"><summary>${texts.playlists.missing}</summary>
      <ul class="plain">${missing.split("\n").map((each) => html`<li key=${each} dir="auto">${each}</li>`)}</ul></details>`}
    ${tracks.length
      ? html`<div class="rows" role="list" aria-label=${name}>${tracks.map((track, at) => html`
          <${TrackRow} key=${`${track.track_id}-${at}`} track=${track} play=${() => playTracks(tracks, at)}
            actions=${own && html`<${Arrange} tracks=${tracks} at=${at} arrange=${arrange} />`} />`)}</div>`
      : html`<${Empty} icon="playlists" title=${texts.playlists.empty} hint=${texts.playlists.emptyHint} />`}</div>`;
}

function Name({ name, own, rename }) {
  const [editing, setEditing] = useState(false);
  if (!editing) {
    return html`<h1 dir="auto">${name} ${own && html`<button class="icon-button" aria-label=${texts.playlists.rename}
      title=${texts.playlists.rename} onClick=${() => setEditing(true)}><${Icon} name="edit" /></button>`}</h1>`;
  }
  const submit = (event) => {
    event.preventDefault();
    setEditing(false);
    rename(event.target.elements.name.value.trim() || name);
  };
  return html`<h1 class="hidden">${name}</h1><form class="inline-form" onSubmit=${submit}>
    <label><span class="hidden">${texts.playlists.newName}</span><input name="name" required maxlength="200" defaultValue=${name}
      autocomplete="off" autofocus onKeyDown=${(event) => event.key === "Escape" && setEditing(false)} /></label>
    <button class="button">${texts.playlists.done}</button></form>`;
}

function OwnButtons({ playlist, change }) {
  const user = useStore(session, (value) => value.user);
  const dialog = useRef(null);
  const drop = async () => {
    try {
      await remove(`playlists/${playlist.playlist_id}`);
      say(texts.playlists.deleted(playlist.name));
      go(link("playlists"));
    } catch (error) {
      sayError(error);
    }
  };
  return html`${user.accounts && html`<button class="button quiet" aria-pressed=${playlist.public}
      onClick=${() => change({ public: !playlist.public })}>
      ${playlist.public ? texts.playlists.isPublic : texts.playlists.isPrivate}</button>`}
    <button class="button quiet" onClick=${() => dialog.current.showModal()}>${texts.playlists.delete}</button>
    <dialog ref=${dialog} class="dialog narrow" aria-labelledby="delete-heading">
      <h2 id="delete-heading">${texts.playlists.sure(playlist.name)}</h2><p class="muted">${texts.playlists.sureHint}</p>
      <div class="buttons"><button class="button" onClick=${drop}>${texts.playlists.delete}</button>
        <button class="button quiet" onClick=${() => dialog.current.close()}>${texts.cancel}</button></div></dialog>`;
}

function Arrange({ tracks, at, arrange }) {
  const name = titleOf(tracks[at]);
  const move = (to) => {
    const list = [...tracks];
    list.splice(to, 0, ...list.splice(at, 1));
    arrange(list);
  };
  return html`<button class="icon-button wide-only" disabled=${at === 0} aria-label=${texts.queue.up(name)}
      onClick=${() => move(at - 1)}><${Icon} name="up" /></button>
    <button class="icon-button wide-only" disabled=${at === tracks.length - 1} aria-label=${texts.queue.down(name)}
      onClick=${() => move(at + 1)}><${Icon} name="down" /></button>
    <button class="icon-button" aria-label=${texts.playlists.removeTrack(name)}
      onClick=${() => arrange(tracks.filter((_, each) => each !== at))}><${Icon} name="close" /></button>`;
}
