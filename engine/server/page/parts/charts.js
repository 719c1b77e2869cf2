// Small charts: bars of probabilities, and distances to genres on one axis.
import { html } from "../html.js";
import { genreColour } from "./colours.js";
import { percent } from "./format.js";

// `items`: [{ name, share }], shares from 0 to 1.
export function Bars({ items, colour, most = 6 }) {
  return html`<ul class="bars">${items.slice(0, most).map(
    ({ name, share }) => html`<li key=${name}><span class="bar-name">${name}</span>
      <span class="bar-track"><span class="bar" style=${{ width: `${100 * share}%`, background: colour(name) }}></span></span>
      <span class="bar-value">${percent(share)}</span></li>`)}</ul>`;
}

// `centroids`: [{ genre, distance, kind }]. The nearest is at the left end.
export function Centroids({ centroids }) {
  if (!centroids.length) return null;
  const ordered = [...centroids].sort((a, b) => a.distance - b.distance);
  const last = ordered.at(-1).distance;
  const first = Math.min(ordered[0].distance, last - 0.01);
  return html`<ul class="centroids">${ordered.map(({ genre, distance, kind }) => {
    const place = `${4 + (92 * (distance - first)) / (last - first)}%`;
    return html`<li key=${genre}><span class="bar-name">${genre}</span>
      <span class="centroid-axis"><span class="centroid-line" style=${{ width: place }}></span>
        <span class="centroid-dot" data-kind=${kind} style=${{ left: place, "--dot": genreColour(genre) }}></span></span>
      <span class="bar-value">${distance.toFixed(2)}</span></li>`;
  })}</ul>`;
}
