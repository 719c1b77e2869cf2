// A row of a list: one track with its buttons. The arrow keys move between rows.
import { html } from "../html.js";
import { currentTrack, enqueue, player, toggle } from "../player.js";
import { rate, toggleStar } from "../favourites.js";
import { radioFromTrack } from "../radio.js";
import { say } from "../notices.js";
import { link } from "../router.js";
import { useStore } from "../store.js";
import { texts } from "../texts.js";
import { Cover } from "./cover.js";
import { artistOf, clock, percent, scaled, titleOf } from "./format.js";
import { Rating, StarButton } from "./favourite.js";
import { Icon } from "./icons.js";

export const ROW_HEIGHT = scaled(60);

// `play` is called for a track that is not the current one; `position` and `total` describe a list of which only a part
// is drawn; `end` is shown before the buttons.
export function TrackRow({ track, play, position, total, end, actions }) {
  const state = useStore(player, (value) =>
    currentTrack(value)?.track_id === track.track_id ? (value.playing ? "playing" : "paused") : "");
  const name = texts.by(titleOf(track), artistOf(track));
  const add = () => {
    enqueue([track]);
    say(texts.queue.added(titleOf(track)));
  };
  return html`<div class=${`row${end ? " shared" : ""}`} data-state=${state} role="listitem" aria-posinset=${position} aria-setsize=${total}
    onKeyDown=${(event) => onKey(event, track, add)}>
    <button class="row-main" onClick=${state ? toggle : play}>
      <span class="hidden">${state === "playing" ? texts.player.pause : texts.player.play}</span>
      <span class="row-cover"><${Cover} track=${track.track_id} seed=${track.album_id || track.track_id} size=${128} />
        <span class="row-play"><${Icon} name=${state === "playing" ? "pause" : "play"} /></span></span>
      <span class="row-names"><span class="row-title" dir="auto">${titleOf(track)}</span>
        <span class="row-artist" dir="auto">${artistOf(track)}</span></span></button>
    ${track.album && track.album_id
      ? html`<a class="row-album" dir="auto" tabindex="-1" href=${link("album", track.album_id)}>${track.album}</a>`
      : html`<span class="row-album"></span>`}
    <span class="row-genre">${track.genre}</span>
    <span class="row-time">${clock(track.seconds)}</span>
    ${end}
    <span class="row-actions">${actions || html`
      <${Rating} item=${String(track.track_id)} name=${titleOf(track)} kind="in-row" />
      <${StarButton} item=${String(track.track_id)} name=${name} kind="wide-only" />
      <button class="icon-button" onClick=${add} aria-label=${texts.track.queue(name)} title=${texts.track.queueButton}>
        <${Icon} name="add" /></button>
      <button class="icon-button wide-only" onClick=${() => radioFromTrack(track)} aria-label=${texts.track.radio(name)}
        title=${texts.track.radioButton}><${Icon} name="radio" /></button>
      <a class="icon-button" href=${link("track", track.track_id)} aria-label=${texts.track.near(name)}
        title=${texts.track.nearTitle}><${Icon} name="near" /></a>`}</span>
  </div>`;
}

// How similar a track is, as a bar with a number.
export const Share = ({ share }) => html`<span class="row-share" title=${texts.track.similarity(percent(share))}>
  <span class="bar" style=${{ width: `${100 * share}%` }}></span><span>${percent(share)}</span></span>`;

// Queue, star and rate the row that has the focus, and move between rows.
function onKey(event, track, add) {
  if (event.target.closest("input, select") || event.ctrlKey || event.metaKey || event.altKey) return;
  const [item, key] = [String(track.track_id), event.key.toLowerCase()];
  const actions = { "+": add, l: () => toggleStar(item, titleOf(track)) };
  if (/^[0-5]$/.test(key)) actions[key] = () => rate(item, Number(key), titleOf(track));
  if (actions[key]) {
    actions[key]();
    event.preventDefault();
    return;
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const rows = [...event.currentTarget.closest("[role=list]").querySelectorAll(".row-main")];
  const target = rows[rows.indexOf(event.currentTarget.querySelector(".row-main")) + step];
  if (!target) return;
  target.focus();
  event.preventDefault();
  event.stopPropagation();
}
