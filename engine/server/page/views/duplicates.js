// Groups of files that hold the same recording or work, the one to keep first. Nothing is deleted here.
import { get } from "../api.js";
import { html, useState } from "../html.js";
import { fileName } from "../parts/format.js";
import { Icon } from "../parts/icons.js";
import { Empty, Failed, Loading } from "../parts/states.js";
import { playTracks } from "../player.js";
import { complete } from "../radio.js";
import { useLoad } from "../store.js";
import { texts } from "../texts.js";

const SHOWN = 100; // groups

export function DuplicatesView() {
  const [kind, setKind] = useState("");
  const found = useLoad((signal) => get("duplicates", { kind }, signal), [kind]);
  return html`<div class="view"><header class="view-head"><div><h1>${texts.duplicates.heading}</h1>
      <p class="muted">${texts.duplicates.intro}</p></div>
      <label class="select"><span class="hidden">${texts.duplicates.kind}</span>
        <select value=${kind} onChange=${(event) => setKind(event.target.value)}>
          <option value="">${texts.duplicates.all}</option>
          <option value="same_recording">${texts.duplicates.same_recording}</option>
          <option value="same_work">${texts.duplicates.same_work}</option></select></label></header>
    <${Body} found=${found} /></div>`;
}

function Body({ found }) {
  if (found.error) return html`<${Failed} error=${found.error} retry=${found.reload} />`;
  if (found.loading) {
    return html`<div class="waiting" role="status"><h2>${texts.duplicates.waiting}</h2>
      <p class="hint">${texts.duplicates.waitingHint}</p></div><${Loading} rows=${4} />`;
  }
  const { groups } = found.data;
  if (!groups.length) return html`<${Empty} icon="duplicates" title=${texts.duplicates.none} hint=${texts.duplicates.noneHint} />`;
  return html`<div class="groups">${groups.slice(0, SHOWN).map((group, index) => html`<${Group} key=${index} group=${group} />`)}</div>`;
}

function Group({ group }) {
  const play = async (track) => playTracks(await complete([track]));
  return html`<section class="panel group"><header><h2>${texts.duplicates[group.kind]}</h2>
      <span class="chip-count">${group.score.toFixed(2)}</span></header>
    <ul>${group.tracks.map((track, index) => html`<li key=${track.track_id}>
      <button class="icon-button" aria-label=${texts.track.play(fileName(track.path))} onClick=${() => play(track)}>
        <${Icon} name="play" /></button>
      <span class="group-path"><b dir="auto">${fileName(track.path)}</b><span dir="auto">${track.path}</span></span>
      <span class="muted">${[track.codec, track.bitrate && texts.duplicates.kbits(track.bitrate),
        track.partial && texts.duplicates.partial].filter(Boolean).join(" · ")}</span>
      ${index === 0 && html`<span class="badge">${texts.duplicates.keep}</span>`}</li>`)}</ul></section>`;
}
