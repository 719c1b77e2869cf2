// Icons of 24 units, drawn with strokes in the text's colour. They are decoration: buttons carry their own labels.
import { html } from "../html.js";

const SHAPES = {
  home: "M4 11l8-7 8 7v9h-5v-6H9v6H4z",
  albums: "M12 3a9 9 0 100 18 9 9 0 000-18zM12 10a2 2 0 100 4 2 2 0 000-4z",
  artists: "M12 4a4 4 0 100 8 4 4 0 000-8zM4 21c0-5 4-6 8-6s8 1 8 6",
  tracks: "M9 18V5l11-2v13M9 18a3 3 0 11-6 0 3 3 0 016 0zM20 16a3 3 0 11-6 0 3 3 0 016 0z",
  map: "M12 6h.01M6 9h.01M17 10h.01M9 14h.01M14 16h.01M18 18h.01M5 17h.01M10 20h.01M3 4v16a1 1 0 001 1h17",
  queue: "M4 6h16M4 11h16M4 16h8M16 15v6l5-3z",
  duplicates: "M8 8h12v12H8zM4 16V4h12",
  indexing: "M12 4v10M8 10l4 4 4-4M4 18v2h16v-2",
  settings: "M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4",
  search: "M11 4a7 7 0 100 14 7 7 0 000-14zM20 20l-4-4",
  play: "M7 4l13 8-13 8z",
  pause: "M8 5v14M16 5v14",
  next: "M5 5l10 7-10 7zM19 5v14",
  previous: "M19 5L9 12l10 7zM5 5v14",
  like: "M12 20S4 15 4 9a4 4 0 018-1 4 4 0 018 1c0 6-8 11-8 11z",
  less: "M5 12h14M12 3a9 9 0 100 18 9 9 0 000-18z",
  radio: "M12 11a1 1 0 100 2 1 1 0 000-2zM8 8a6 6 0 000 8M16 8a6 6 0 010 8M5 5a10 10 0 000 14M19 5a10 10 0 010 14",
  add: "M12 5v14M5 12h14",
  near: "M3 9c3-4 6-4 9 0s6 4 9 0M3 16c3-4 6-4 9 0s6 4 9 0",
  up: "M6 15l6-6 6 6",
  down: "M6 9l6 6 6-6",
  close: "M6 6l12 12M18 6L6 18",
  volume: "M4 9v6h4l5 4V5L8 9zM17 9a4 4 0 010 6",
  muted: "M4 9v6h4l5 4V5L8 9zM17 10l4 4M21 10l-4 4",
  path: "M5 19a2 2 0 100-4 2 2 0 000 4zM19 9a2 2 0 100-4 2 2 0 000 4zM7 17c8 0 2-10 10-10",
  lasso: "M12 4c5 0 9 2 9 6s-4 6-9 6-9-2-9-6 4-6 9-6zM8 16c-3 1-3 5 1 5",
  keys: "M3 7h18v10H3zM7 11h.01M11 11h.01M15 11h.01M8 14h8",
  file: "M6 3h8l5 5v13H6zM14 3v5h5",
  user: "M12 4a4 4 0 100 8 4 4 0 000-8zM4 21c0-5 4-6 8-6s8 1 8 6",
  star: "M12 3l2.8 5.7 6.2.9-4.500 4.400 1.100 6.200L12 17.300l-5.600 2.900 1.100-6.200L3 9.600l6.200-.9z",
  playlists: "M4 6h12M4 11h12M4 16h7M18 12v7M18 19a2 2 0 11-4 0 2 2 0 014 0zM18 12l3 1",
  edit: "M4 20l1-4L16 5l3 3L8 19zM13 8l3 3",
  minus: "M5 12h14",
  whole: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  more: "M5 11v2M12 11v2M19 11v2",
};
const FILLED = new Set(["play", "next", "previous"]);

export function Icon({ name, filled = FILLED.has(name) }) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"
    fill=${filled ? "currentColor" : "none"} stroke="currentColor" stroke-width="1.8"
    stroke-linecap="round" stroke-linejoin="round"><path d=${SHAPES[name]} /></svg>`;
}
