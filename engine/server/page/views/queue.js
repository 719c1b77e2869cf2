// The queue, the radio that continues it, and paths.
import { html } from "../html.js";
import { artistOf, fileName, titleOf } from "../parts/format.js";
import { Icon } from "../parts/icons.js";
import { TrackRow } from "../parts/rows.js";
import { Empty } from "../parts/states.js";
import * as player from "../player.js";
import { addToPlaylist } from "../playlists.js";
import * as radio from "../radio.js";
import { useStore } from "../store.js";
import { texts } from "../texts.js";

const SHOWN = 200; // entries after the playing one
const PLAYED = 20;

export function QueueView() {
  const { queue, index } = useStore(player.player, (state) => state);
  if (!queue.length) {
    return html`<div class="view"><h1>${texts.queue.heading}</h1>
      <${Empty} icon="queue" title=${texts.queue.empty} hint=${texts.queue.emptyHint} /></div>`;
  }
  const upcoming = queue.slice(index + 1, index + 1 + SHOWN);
  const played = queue.slice(Math.max(0, index - PLAYED), index);
  return html`<div class="view"><header class="view-head"><h1>${texts.queue.heading}</h1>
      <div class="buttons">
        <button class="button quiet" title=${texts.queue.smoothHint} disabled=${upcoming.length < 2}
          onClick=${radio.smoothOrder}><${Icon} name="path" />${texts.queue.smooth}</button>
        <button class="button quiet" onClick=${() => addToPlaylist(queue)}><${Icon} name="playlists" />
          ${texts.queue.savePlaylist}</button>
        <button class="button quiet" onClick=${() => save(queue)}>${texts.queue.save}</button>
        <button class="button quiet" disabled=${!upcoming.length} onClick=${() => player.setUpcoming([])}>
          ${texts.queue.clear}</button></div></header>
    <${RadioPanel} />
    <section><h2>${texts.queue.now}</h2>
      <div class="rows" role="list" aria-label=${texts.queue.now}><${TrackRow} track=${queue[index]} /></div></section>
    ${upcoming.length > 0 && html`<section><h2>${texts.queue.upNext}</h2>
      <div class="rows" role="list" aria-label=${texts.queue.upNext}>${upcoming.map((track, step) => html`
        <${TrackRow} key=${`${track.track_id}-${step}`} track=${track} play=${() => player.jump(index + 1 + step)}
          actions=${html`<${Order} track=${track} at=${index + 1 + step} last=${queue.length - 1} first=${index + 1} />`} />`)}
      </div></section>`}
    ${played.length > 0 && html`<details class="played"><summary>${texts.queue.history}</summary>
      <div class="rows" role="list" aria-label=${texts.queue.history}>${played.map((track, step) => html`
        <${TrackRow} key=${step} track=${track} play=${() => player.jump(index - played.length + step)} />`)}</div></details>`}
  </div>`;
}

function Order({ track, at, first, last }) {
  const name = titleOf(track);
  return html`
    <button class="icon-button wide-only" disabled=${at === first} aria-label=${texts.queue.up(name)}
      onClick=${() => player.move(at, at - 1)}><${Icon} name="up" /></button>
    <button class="icon-button wide-only" disabled=${at === last} aria-label=${texts.queue.down(name)}
      onClick=${() => player.move(at, at + 1)}><${Icon} name="down" /></button>
    <button class="icon-button" aria-label=${texts.queue.remove(name)} onClick=${() => player.removeAt(at)}>
      <${Icon} name="close" /></button>`;
}

function RadioPanel() {
  const { on, label, seeds, unlike } = useStore(radio.radio, (state) => state);
  const chips = (list, entries) => entries.map((each) => html`<li class="chip" key=${each.reference}>
    <span dir="auto">${each.label}</span><button class="chip-close" aria-label=${texts.queue.forget(each.label)}
      onClick=${() => radio.forget(list, each.reference)}><${Icon} name="close" /></button></li>`);
  return html`<section class="panel radio-panel" data-on=${on}><div class="radio-head"><${Icon} name="radio" />
      <div><h2>${texts.queue.radio}</h2>
        <p class="hint">${on ? texts.queue.radioOn(label) : texts.queue.radioOff}</p></div>
      <button class="button ${on ? "quiet" : ""}" onClick=${on ? radio.stopRadio : radio.continueRadio}>
        ${on ? texts.queue.stop : texts.queue.start}</button></div>
    ${on && html`<div class="radio-steer"><div><h3>${texts.queue.more}</h3><ul class="chips">${chips("seeds", seeds)}</ul></div>
      ${unlike.length > 0 && html`<div><h3>${texts.queue.less}</h3><ul class="chips">${chips("unlike", unlike)}</ul></div>`}
    </div>`}</section>`;
}

// Save the queue as an M3U8 playlist of the server's paths.
function save(queue) {
  const entries = queue.map((track) =>
    `#EXTINF:${Math.round(track.seconds)},${artistOf(track)} - ${titleOf(track)}\n${track.path}`);
  const file = new Blob([`#EXTM3U\n${entries.join("\n")}\n`], { type: "audio/x-mpegurl" });
  const anchor = document.createElement("a");
  anchor.href = URL.createObjectURL(file);
  anchor.download = `${fileName(titleOf(queue[0])).replace(/[^\p{L}\p{N} -]/gu, "")}.m3u8`;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(anchor.href), 1000);
}
