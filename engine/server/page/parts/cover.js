// Covers: the picture of a track's file or folder, or a drawn one in its place.
import { html, useState } from "../html.js";
import { coverUrl } from "../api.js";
import { hash, hslToHex } from "./colours.js";

const missing = new Set(); // tracks without a picture: asked for once
const BARS = 9;

// `track` is the id whose cover is shown, `seed` the text from which the drawn one is made (an album's id or a name).
export function Cover({ track, seed, size = 128, round = false }) {
  const [, draw] = useState(0);
  const classes = `cover${round ? " round" : ""}`;
  if (!track || missing.has(track)) return html`<span class=${classes}><${Drawn} seed=${String(seed)} /></span>`;
  const fail = () => {
    missing.add(track);
    draw((count) => count + 1);
  };
  return html`<span class=${classes}>
    <img src=${coverUrl(track, size)} alt="" loading="lazy" decoding="async" onError=${fail} /></span>`;
}

// A waveform of bars on two tones of one hue: the same album always gets the same one.
function Drawn({ seed }) {
  const value = hash(seed);
  const hue = value % 360;
  const bars = Array.from({ length: BARS }, (_, index) => {
    const height = 12 + (hash(`${seed}/${index}`) % 52) * Math.sin(((index + 1) * Math.PI) / (BARS + 1));
    return html`<rect x=${14 + index * 8.4} y=${50 - height / 2} width="4.4" height=${height} rx="2.2"
      fill=${hslToHex((hue + 24) % 360, 62, 74)} opacity=${0.55 + 0.05 * (index % 5)} />`;
  });
  return html`<svg viewBox="0 0 100 100" aria-hidden="true" focusable="false">
    <rect width="100" height="100" fill=${hslToHex(hue, 32, 26)} />
    <circle cx=${(value >> 8) % 100} cy=${(value >> 16) % 100} r="46" fill=${hslToHex((hue + 40) % 360, 38, 34)} />
    ${bars}</svg>`;
}
