// The playable waveform of a track, with the attention of the encoder as a strip of heat under it.
import { html, useEffect, useRef } from "../html.js";
import { texts } from "../texts.js";
import { themeColour } from "./colours.js";
import { clock } from "./format.js";

const STEP = 5; // seconds that an arrow key moves
const GAP = 1; // pixels between bars
const BAR = 2; // pixels of a bar

// `position()` returns the second that plays, or null while another track does; `seek(seconds)` goes to one.
export function Waveform({ peaks, duration, position, seek, name, height = 96 }) {
  const canvas = useRef(null);
  const slider = useRef(null);
  const latest = useRef({});
  latest.current = { peaks, duration, position };
  useEffect(() => {
    let frame = 0;
    let drawn = "";
    const draw = () => {
      if (!canvas.current) return; // removed before the effect's end
      frame = requestAnimationFrame(draw);
      const { peaks, duration, position } = latest.current;
      const now = position();
      const { clientWidth, clientHeight } = canvas.current;
      const state = [clientWidth, clientHeight, Math.round((now ?? -1) * 8), peaks?.length, themeColour("accent")].join();
      if (state === drawn) return;
      drawn = state;
      paintWave(canvas.current, peaks, now === null ? 0 : now / duration);
      slider.current.setAttribute("aria-valuenow", Math.round(now ?? 0));
      slider.current.setAttribute("aria-valuetext", clock(now ?? 0));
    };
    draw();
    return () => cancelAnimationFrame(frame);
  }, []);
  const onKey = (event) => {
    const steps = { ArrowLeft: -STEP, ArrowRight: STEP, PageDown: -6 * STEP, PageUp: 6 * STEP, Home: -1e6, End: 1e6 };
    if (!(event.key in steps)) return;
    seek(Math.min(duration, Math.max(0, (position() ?? 0) + steps[event.key])));
    event.preventDefault();
    event.stopPropagation();
  };
  const onClick = (event) => {
    const box = canvas.current.getBoundingClientRect();
    seek((duration * (event.clientX - box.left)) / box.width);
  };
  return html`<div class="waveform" ref=${slider} role="slider" tabindex="0" aria-label=${texts.track.waveform(name)}
    aria-valuemin="0" aria-valuemax=${Math.round(duration)} aria-valuenow="0" onKeyDown=${onKey} onClick=${onClick}
    style=${{ height: `${height}px` }}><canvas ref=${canvas}></canvas></div>`;
}

// Fit a canvas to the pixels of the screen and return its context, in CSS pixels.
export function fit(canvas) {
  const scale = devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  return { context, width, height };
}

function paintWave(canvas, peaks, share) {
  const { context, width, height } = fit(canvas);
  const [accent, quiet] = [themeColour("accent"), themeColour("wave")];
  const bars = Math.floor(width / (BAR + GAP));
  for (let bar = 0; bar < bars; bar++) {
    const size = Math.max(2, level(peaks, bar / bars, (bar + 1) / bars) * (height - 4));
    context.fillStyle = (bar + 0.5) / bars <= share ? accent : quiet;
    context.fillRect(bar * (BAR + GAP), (height - size) / 2, BAR, size);
  }
  if (share > 0 && share < 1) {
    context.fillStyle = themeColour("text");
    context.fillRect(share * width, 0, 1.5, height);
  }
}

// Return the loudest peak of a part of the track, 0 to 1; its root lifts quiet music.
export function level(peaks, from, to) {
  if (!peaks?.length) return 0.08;
  let loudest = 0;
  for (let at = Math.floor(from * peaks.length); at < Math.max(to * peaks.length, from * peaks.length + 1); at++) {
    loudest = Math.max(loudest, peaks[Math.min(at, peaks.length - 1)]);
  }
  return Math.sqrt(loudest / 255);
}

// The attention over a track: one button a window, brighter for more weight.
export function Attention({ windows, moments, duration, play }) {
  const heaviest = Math.max(...windows.map((each) => each.weight), 1e-9);
  const percentAt = (seconds) => `${(100 * seconds) / duration}%`;
  const choose = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const second = (duration * (event.clientX - box.left)) / box.width;
    const hit = windows.find((each) => second >= each.start && second < each.end);
    play(hit ? hit.start : second);
  };
  return html`<div class="attention" onClick=${choose} aria-hidden="true">
    ${windows.map((each) => html`<span class="heat" style=${{
      left: percentAt(each.start), width: percentAt(each.end - each.start), opacity: 0.06 + 0.9 * (each.weight / heaviest) ** 2,
    }}></span>`)}
    ${moments.slice(0, 3).map((each) => html`<span class="heat-mark" style=${{
      left: percentAt(each.start), width: percentAt(each.end - each.start) }}></span>`)}</div>`;
}
