// Why two tracks match: the moments that add most to their similarity, drawn between both waveforms and played.
import { getOnce } from "../api.js";
import { html, useEffect, useRef } from "../html.js";
import { loopMoments, moments, stopMoments } from "../moments.js";
import { useLoad, useStore } from "../store.js";
import { texts } from "../texts.js";
import { themeColour } from "./colours.js";
import { clock, percent, titleOf } from "./format.js";
import { Icon } from "./icons.js";
import { Answer } from "./states.js";
import { fit, level } from "./waveform.js";

const PAIRS = 6; // shown and played
const WAVE = 34; // pixels of each waveform
const ROUNDS = 1; // times that a pair is played before the next

export function WhyPanel({ a, b }) {
  const found = useLoad(async () => {
    const [pair, waveA, waveB] = await Promise.all([
      getOnce("pair", { a: a.track_id, b: b.track_id, limit: 200 }),
      getOnce(`tracks/${a.track_id}/waveform`).catch(() => null),
      getOnce(`tracks/${b.track_id}/waveform`).catch(() => null),
    ]);
    return { ...pair, pairs: distinct(pair.pairs), waveA, waveB };
  }, [a.track_id, b.track_id]);
  useEffect(() => stopMoments, []);
  return html`<div class="panel why"><${Answer} of=${found} rows=${3}
    show=${(data) => html`<${Pairs} a=${a} b=${b} why=${data} />`} /></div>`;
}

// Return the strongest pairs of which no two share a window on both sides nearby, so that each shows something new.
function distinct(pairs) {
  const chosen = [];
  const close = (one, other) => Math.abs(one.start - other.start) < (one.end - one.start) / 2;
  for (const pair of pairs) {
    if (chosen.length === PAIRS || pair.contribution <= 0) break;
    if (!chosen.some((each) => close(each.a, pair.a) || close(each.b, pair.b))) chosen.push(pair);
  }
  return chosen.length ? chosen : pairs.slice(0, 1);
}

function Pairs({ a, b, why }) {
  const key = `${a.track_id}-${b.track_id}`;
  const active = useStore(moments, (state) => (state.key === key ? state : null));
  const { pairs, cosine, similarity } = why;
  const share = (pair) => (cosine > 0 ? pair.contribution / cosine : 0);
  const largest = Math.max(...pairs.map(share), 1e-9);
  const parts = (chosen) => chosen.flatMap((pair) => Array.from({ length: ROUNDS }, () => [
    { index: pairs.indexOf(pair), side: 0, track: a, ...pair.a },
    { index: pairs.indexOf(pair), side: 1, track: b, ...pair.b },
  ]).flat());
  const sum = pairs.reduce((total, pair) => total + share(pair), 0);
  return html`<header class="why-head"><div><h3>${texts.why.heading}</h3>
      <p class="hint">${texts.why.summary(percent(similarity), pairs.length, percent(sum))}</p></div>
      <button class="button" onClick=${() => (active ? stopMoments() : loopMoments(key, parts(pairs)))}>
        <${Icon} name=${active ? "pause" : "play"} />${active ? texts.why.stop : texts.why.play}</button></header>
    <${Bridge} a=${a} b=${b} why=${why} active=${active} />
    <ol class="pairs">${pairs.map((pair, index) => {
      const [at, to] = [clock(pair.a.start), clock(pair.b.start)];
      return html`<li key=${index}><button class="pair" data-active=${active?.index === index}
        aria-label=${texts.why.pair(at, to, percent(share(pair)))} onClick=${() => loopMoments(key, parts([pair]))}>
        <${Icon} name="play" /><b data-active=${active?.index === index && active.side === 0}>${at}</b>
        <span class="pair-link"></span><b data-active=${active?.index === index && active.side === 1}>${to}</b>
        <span class="bar-track"><span class="bar" style=${{ width: `${(100 * share(pair)) / largest}%` }}></span></span>
        <span class="bar-value">${(100 * share(pair)).toFixed(1)} %</span></button></li>`;
    })}</ol>`;
}

function Bridge({ a, b, why, active }) {
  const canvas = useRef(null);
  useEffect(() => {
    const element = canvas.current;
    const draw = () => paintBridge(element, why, a.seconds, b.seconds, active?.index ?? -1);
    draw();
    const sizes = new ResizeObserver(draw);
    sizes.observe(element);
    return () => sizes.disconnect();
  }, [why, active?.index]);
  return html`<figure class="bridge"><figcaption dir="auto">${titleOf(a)}</figcaption>
    <canvas ref=${canvas} role="img" aria-label=${texts.why.bridge}></canvas>
    <figcaption dir="auto">${titleOf(b)}</figcaption></figure>`;
}

function paintBridge(canvas, { pairs, waveA, waveB }, secondsA, secondsB, active) {
  const { context, width, height } = fit(canvas);
  const [quiet, accent] = [themeColour("wave"), themeColour("accent")];
  const wave = (peaks, top) => {
    context.fillStyle = quiet;
    for (let x = 0; x < width; x += 3) {
      const size = Math.max(1, level(peaks, x / width, (x + 3) / width) * WAVE);
      context.fillRect(x, top + (WAVE - size) / 2, 2, size);
    }
  };
  wave(waveA?.peaks, 0);
  wave(waveB?.peaks, height - WAVE);
  const largest = Math.max(...pairs.map((pair) => pair.contribution));
  pairs.forEach((pair, index) => {
    const [a0, a1] = [(pair.a.start / secondsA) * width, (pair.a.end / secondsA) * width];
    const [b0, b1] = [(pair.b.start / secondsB) * width, (pair.b.end / secondsB) * width];
    const [top, bottom] = [WAVE, height - WAVE];
    const middle = (top + bottom) / 2;
    context.fillStyle = accent;
    context.globalAlpha = index === active ? 0.75 : 0.10 + 0.28 * (pair.contribution / largest);
    context.beginPath();
    context.moveTo(a0, top);
    context.bezierCurveTo(a0, middle, b0, middle, b0, bottom);
    context.lineTo(b1, bottom);
    context.bezierCurveTo(b1, middle, a1, middle, a1, top);
    context.fill();
    context.fillRect(a0, 0, a1 - a0, WAVE);
    context.fillRect(b0, bottom, b1 - b0, WAVE);
  });
  context.globalAlpha = 1;
}
