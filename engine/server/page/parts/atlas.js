// The data of the map: places between -1 and 1, colours, regions, and a grid that finds the point under the pointer.
import { genreColour, moodColour, rgb, scaleColour } from "./colours.js";

const CELLS = 128; // of the grid along one side
export const NUMBERS = ["year", "added", "plays"]; // columns of numbers; the others are places in a list of names
const DIM = 28; // alpha of points that are not selected, of 255

// Return the map of the columns of /map/points.
export function makeAtlas(columns) {
  const number = columns.track_id.length;
  const extent = (list) => list.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
  const [x0, x1] = extent(columns.x);
  const [y0, y1] = extent(columns.y);
  const half = Math.max(x1 - x0, y1 - y0, 1e-9) / 2;
  const places = new Float32Array(2 * number);
  for (let at = 0; at < number; at++) {
    places[2 * at] = (columns.x[at] - (x0 + x1) / 2) / half;
    places[2 * at + 1] = (columns.y[at] - (y0 + y1) / 2) / half;
  }
  const scales = Object.fromEntries(NUMBERS.map((by) => {
    const known = columns[by].filter(Boolean);
    return [by, known.length ? extent(known) : [0, 0]];
  }));
  return { ...columns, number, places, scales, grid: makeGrid(places, number),
    rowOf: new Map(columns.track_id.map((id, row) => [id, row])) };
}

// Return the bytes of all points' colours; with a selection (a Set of rows) the others are dim.
export function colourPoints(atlas, by, selection) {
  const bytes = new Uint8Array(4 * atlas.number);
  const palette = new Map();
  for (let row = 0; row < atlas.number; row++) {
    const key = atlas[by][row];
    if (!palette.has(key)) palette.set(key, rgb(colourOf(atlas, by, key)));
    const [red, green, blue] = palette.get(key);
    bytes.set([red, green, blue, selection && !selection.has(row) ? DIM : 225], 4 * row);
  }
  return bytes;
}

function colourOf(atlas, by, key) {
  if (by === "plays") return scaleColour(Math.log1p(key), atlas.scales.plays.map(Math.log1p));
  if (NUMBERS.includes(by)) return scaleColour(key, atlas.scales[by]);
  return by === "mood" ? moodColour(atlas.moods[key]) : genreColour(atlas.genres[key]);
}

// Return the legend of a colouring: [{ name, colour, tracks }], the most frequent first.
export function legendOf(atlas, by) {
  if (NUMBERS.includes(by)) return [];
  const names = by === "mood" ? atlas.moods : atlas.genres;
  const counts = new Array(names.length).fill(0);
  for (const key of atlas[by]) if (key >= 0) counts[key]++;
  return names.map((name, key) => ({ name, colour: colourOf(atlas, by, key), tracks: counts[key] }))
    .sort((a, b) => b.tracks - a.tracks);
}

// Return the names of regions, each at the mean of its tracks: [{ name, x, y, tracks }], the largest first.
export function regionsOf(atlas, by) {
  const names = by === "mood" ? atlas.moods : atlas.genres;
  const sums = names.map((name) => ({ name, x: 0, y: 0, tracks: 0 }));
  const column = by === "mood" ? atlas.mood : atlas.genre;
  for (let row = 0; row < atlas.number; row++) {
    const sum = sums[column[row]];
    if (!sum) continue;
    sum.x += atlas.places[2 * row];
    sum.y += atlas.places[2 * row + 1];
    sum.tracks++;
  }
  return sums.filter((sum) => sum.tracks)
    .map((sum) => ({ ...sum, x: sum.x / sum.tracks, y: sum.y / sum.tracks }))
    .sort((a, b) => b.tracks - a.tracks);
}

const cellOf = (value) => Math.min(CELLS - 1, Math.max(0, Math.floor(((value + 1) / 2) * CELLS)));

// Sort rows by cell: the rows of cell c are order[starts[c]] up to order[starts[c + 1] - 1].
function makeGrid(places, number) {
  const starts = new Uint32Array(CELLS * CELLS + 1);
  const cells = new Uint32Array(number);
  for (let row = 0; row < number; row++) {
    cells[row] = cellOf(places[2 * row + 1]) * CELLS + cellOf(places[2 * row]);
    starts[cells[row] + 1]++;
  }
  for (let cell = 0; cell < CELLS * CELLS; cell++) starts[cell + 1] += starts[cell];
  const next = starts.slice();
  const order = new Uint32Array(number);
  for (let row = 0; row < number; row++) order[next[cells[row]]++] = row;
  return { starts, order };
}

// Call `visit(row)` for the rows in the cells of a rectangle; it may contain some outside.
function visitCells({ grid }, left, bottom, right, top, visit) {
  for (let y = cellOf(bottom); y <= cellOf(top); y++) {
    const [first, last] = [y * CELLS + cellOf(left), y * CELLS + cellOf(right)];
    for (let at = grid.starts[first]; at < grid.starts[last + 1]; at++) visit(grid.order[at]);
  }
}

// Return the row nearest to a place within a radius, or -1.
export function nearest(atlas, x, y, radius) {
  let [best, least] = [-1, radius * radius];
  visitCells(atlas, x - radius, y - radius, x + radius, y + radius, (row) => {
    const away = (atlas.places[2 * row] - x) ** 2 + (atlas.places[2 * row + 1] - y) ** 2;
    if (away <= least) [best, least] = [row, away];
  });
  return best;
}

// Return at most `most` rows of a rectangle, or null if there are more.
export function rowsWithin(atlas, left, bottom, right, top, most) {
  const rows = [];
  let many = false;
  visitCells(atlas, left, bottom, right, top, (row) => {
    const [x, y] = [atlas.places[2 * row], atlas.places[2 * row + 1]];
    if (x < left || x > right || y < bottom || y > top) return;
    if (rows.length < most) rows.push(row);
    else many = true;
  });
  return many ? null : rows;
}

// Return the rows inside a polygon [[x, y], ...] (even-odd rule).
export function rowsInside(atlas, polygon) {
  const inside = [];
  const [xs, ys] = [polygon.map(([x]) => x), polygon.map(([, y]) => y)];
  visitCells(atlas, Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys), (row) => {
    const [x, y] = [atlas.places[2 * row], atlas.places[2 * row + 1]];
    let odd = false;
    for (let a = 0, b = polygon.length - 1; a < polygon.length; b = a++) {
      const [[ax, ay], [bx, by]] = [polygon[a], polygon[b]];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
    }
    if (odd) inside.push(row);
  });
  return inside;
}
