// The bar at the bottom: the playing track, its buttons, position and volume.
import { favourites } from "./favourites.js";
import { html } from "./html.js";
import * as player from "./player.js";
import { lessLike, like, radio, radioFromTrack } from "./radio.js";
import { link } from "./router.js";
import { useStore } from "./store.js";
import { texts } from "./texts.js";
import { Cover } from "./parts/cover.js";
import { artistOf, clock, titleOf } from "./parts/format.js";
import { Icon } from "./parts/icons.js";

export function PlayerBar() {
  const track = useStore(player.player, (state) => player.currentTrack(state));
  return html`<section class="player" aria-label=${texts.player.label} data-idle=${!track}>
    ${track ? html`<${Playing} track=${track} />` : html`<p class="player-idle">${texts.player.nothing}</p>`}</section>`;
}

function Playing({ track }) {
  const { playing, index } = useStore(player.player, (state) => state);
  const isLiked = useStore(favourites, (value) => Boolean(value.stars[track.track_id]));
  const button = (name, icon, action, more = {}) => html`<button class="icon-button" aria-label=${name} title=${name}
    onClick=${action} ...${more}><${Icon} name=${icon} filled=${more.filled} /></button>`;
  return html`<${Position} />
    <a class="player-track" href=${link("track", track.track_id)}>
      <${Cover} track=${track.track_id} seed=${track.album_id || track.track_id} size=${128} />
      <span class="player-names"><span class="player-title" dir="auto">${titleOf(track)}</span>
        <span class="player-artist" dir="auto">${artistOf(track)}</span></span></a>
    <div class="player-buttons">
      ${button(texts.player.unlike, "less", () => lessLike(), { class: "icon-button wide-only" })}
      ${button(texts.player.previous, "previous", player.previous, { disabled: index < 0, class: "icon-button wide-only" })}
      <button class="play-button" aria-label=${playing ? texts.player.pause : texts.player.play} onClick=${player.toggle}>
        <${Icon} name=${playing ? "pause" : "play"} /></button>
      ${button(texts.player.next, "next", player.next)}
      ${button(texts.player.like, "like", () => like(), { "aria-pressed": isLiked, filled: isLiked })}
    </div>
    <div class="player-side">
      <${RadioButton} track=${track} />
      <a class="icon-button" href=${link("queue")} aria-label=${texts.queue.heading} title=${texts.queue.heading}>
        <${Icon} name="queue" /></a>
      <${Volume} />
    </div>`;
}

function Position() {
  const { time, duration } = useStore(player.clockStore, (value) => value);
  return html`<div class="player-position"><span class="player-time">${clock(time)}</span>
    <input type="range" min="0" max=${Math.max(1, duration)} step="0.1" value=${time} aria-label=${texts.player.seek}
      aria-valuetext=${`${clock(time)} / ${clock(duration)}`} style=${{ "--filled": `${(100 * time) / (duration || 1)}%` }}
      onInput=${(event) => player.seek(Number(event.target.value))} />
    <span class="player-time">${clock(duration)}</span></div>`;
}

function RadioButton({ track }) {
  const on = useStore(radio, (value) => value.on);
  return html`<button class="icon-button" aria-pressed=${on} aria-label=${texts.track.radioButton}
    title=${texts.track.radioButton} onClick=${() => (on ? radio.set({ on: false }) : radioFromTrack(track))}>
    <${Icon} name="radio" /></button>`;
}

function Volume() {
  const volume = useStore(player.player, (value) => value.volume);
  const muted = useStore(player.player, (value) => value.muted);
  const shown = muted ? 0 : volume;
  return html`<div class="volume wide-only"><button class="icon-button" aria-label=${muted ? texts.player.unmute : texts.player.mute}
      onClick=${player.toggleMute}><${Icon} name=${muted ? "muted" : "volume"} /></button>
    <input type="range" min="0" max="1" step="0.01" value=${shown} aria-label=${texts.player.volume}
      style=${{ "--filled": `${100 * shown}%` }} onInput=${(event) => player.setVolume(Number(event.target.value))} /></div>`;
}
