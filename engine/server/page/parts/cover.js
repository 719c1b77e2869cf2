// Covers: the picture of a track's file or folder, or a drawn one in its place.
import { html, useState } from "../html.js";
import { coverUrl } from "../api.js";
import { hash, hslToHex } from "./colours.js";

const missing = new Set(); // tracks without a picture: requested once
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

// One of three drawings on two tones of one hue: the same album always gets the same one.
function Drawn({ seed }) {
  const value = hash(seed);
  const hue = value % 360;
  const [dark, middle, light] = [[hue, 34, 25], [hue + 38, 42, 36], [hue + 24, 64, 74]].map(([h, s, l]) => hslToHex(h % 360, s, l));
  const [x, y] = [18 + ((value >>> 8) % 64), 18 + ((value >>> 14) % 64)];
  return html`<svg viewBox="0 0 100 100" aria-hidden="true" focusable="false">
    <rect width="100" height="100" fill=${dark} /><circle cx=${x} cy=${y} r="44" fill=${middle} />
    ${[bars, rings, waves][(value >>> 20) % 3](seed, light)}</svg>`;
}

function bars(seed, colour) {
  return Array.from({ length: BARS }, (_, index) => {
    const height = 12 + (hash(`${seed}/${index}`) % 52) * Math.sin(((index + 1) * Math.PI) / (BARS + 1));
    return html`<rect x=${14 + index * 8.4} y=${50 - height / 2} width="4.4" height=${height} rx="2.2" fill=${colour}
      opacity=${0.55 + 0.05 * (index % 5)} />`;
  });
}

function rings(seed, colour) {
  const [x, y] = [30 + (hash(`${seed}x`) % 40), 30 + (hash(`${seed}y`) % 40)];
  return Array.from({ length: 6 }, (_, index) => html`<circle cx=${x} cy=${y} r=${5 + index * 8.5} fill="none" stroke=${colour}
    stroke-width=${0.8 + (hash(`${seed}/${index}`) % 24) / 10} opacity=${0.85 - 0.1 * index} />`);
}

function waves(seed, colour) {
  return Array.from({ length: 5 }, (_, index) => {
    const [size, shift] = [4 + (hash(`${seed}/${index}`) % 14), hash(`${index}/${seed}`) % 20];
    const y = 26 + index * 12;
    return html`<path fill="none" stroke=${colour} stroke-width="2.4" stroke-linecap="round" opacity=${0.45 + 0.1 * index}
      d=${`M${-20 + shift} ${y}q12 ${-size} 24 0t24 0t24 0t24 0t24 0`} />`;
  });
}
