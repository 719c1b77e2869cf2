// The layer above the points of the map: names of regions and tracks, the playing track, the path and the lasso.
import { themeColour } from "./colours.js";
import { fit } from "./waveform.js";

const PULSE_MS = 1800;
const REGIONS = 6; // names shown on the whole map; more appear by zoom

// Draw one frame. `scene`: { view, atlas, regions, titles, playing, path, loop, hovered, diameter, now }.
export function paintLabels(canvas, scene) {
  const { context } = fit(canvas);
  const colours = { text: themeColour("text"), back: themeColour("back"), accent: themeColour("accent") };
  paintPath(context, scene, colours);
  paintNames(context, scene, colours);
  if (scene.hovered >= 0) paintRing(context, scene, scene.hovered, colours.text, 1.5, 3);
  if (scene.playing >= 0) paintPlaying(context, scene, colours);
  if (scene.loop?.length > 1) paintLoop(context, scene.loop, colours);
}

const capital = (name) => name.charAt(0).toUpperCase() + name.slice(1);
const placeOf = ({ atlas, view }, row) => view.toPixels(atlas.places[2 * row], atlas.places[2 * row + 1]);

function paintRing(context, scene, row, colour, width, gap) {
  const [x, y] = placeOf(scene, row);
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  context.arc(x, y, scene.diameter / 2 + gap, 0, 7);
  context.stroke();
}

function paintPlaying(context, scene, { accent, text }) {
  const phase = scene.view.calm ? 0.35 : (scene.now % PULSE_MS) / PULSE_MS;
  const [x, y] = placeOf(scene, scene.playing);
  const glow = context.createRadialGradient(x, y, 0, x, y, 30);
  glow.addColorStop(0, accent);
  glow.addColorStop(1, "transparent");
  context.globalAlpha = 0.55;
  context.fillStyle = glow;
  context.fillRect(x - 30, y - 30, 60, 60);
  context.globalAlpha = 1 - phase;
  paintRing(context, scene, scene.playing, accent, 2, 4 + 18 * phase);
  context.globalAlpha = 1;
  context.fillStyle = text;
  context.beginPath();
  context.arc(x, y, Math.max(3.5, scene.diameter / 2), 0, 7);
  context.fill();
}

function paintPath(context, scene, { accent }) {
  if (scene.path.length < 2) return;
  context.strokeStyle = accent;
  context.lineWidth = 2;
  context.globalAlpha = 0.8;
  context.beginPath();
  for (const row of scene.path) context.lineTo(...placeOf(scene, row));
  context.stroke();
  context.globalAlpha = 1;
  for (const row of scene.path) paintRing(context, scene, row, accent, 1.5, 2);
}

function paintLoop(context, loop, { accent }) {
  context.fillStyle = context.strokeStyle = accent;
  context.beginPath();
  for (const point of loop) context.lineTo(...point);
  context.closePath();
  context.globalAlpha = 0.12;
  context.fill();
  context.globalAlpha = 1;
  context.lineWidth = 1.5;
  context.setLineDash([5, 4]);
  context.stroke();
  context.setLineDash([]);
}

// Names that would overlap one drawn before are left out; the larger region wins.
function paintNames(context, scene, { text, back }) {
  const taken = [];
  const free = (box) => taken.every((other) =>
    box[2] < other[0] || box[0] > other[2] || box[3] < other[1] || box[1] > other[3]);
  const write = (name, x, y, size, weight, alpha) => {
    context.font = `${weight} ${size}px ${getComputedStyle(document.body).fontFamily}`;
    const half = context.measureText(name).width / 2 + 6;
    const box = [x - half, y - size, x + half, y + size * 0.6];
    if (!free(box)) return;
    taken.push(box);
    context.globalAlpha = alpha;
    context.lineWidth = 4;
    context.strokeStyle = back;
    context.strokeText(name, x, y);
    context.fillStyle = text;
    context.fillText(name, x, y);
  };
  context.textAlign = "center";
  context.lineJoin = "round";
  const magnification = scene.view.magnification;
  scene.regions.forEach((region, rank) => {
    const alpha = Math.min(1, Math.max(0, magnification * REGIONS - rank) / 2) * Math.min(1, Math.max(0.25, 12 / magnification));
    if (alpha > 0.05) write(capital(region.name), ...scene.view.toPixels(region.x, region.y), rank < 4 ? 17 : 14, 650, alpha);
  });
  for (const [row, title] of scene.titles) {
    const [x, y] = placeOf(scene, row);
    write(title, x, y - scene.diameter / 2 - 5, 12, 450, 0.85);
  }
  context.globalAlpha = 1;
}
