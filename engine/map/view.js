// Marks on the screen. They are written into the canvas's pixels by hand: 100,000 of them take some milliseconds on
// any machine, with no graphics card, where the canvas's own circles would take a second.

const SHAPES = {
  disc: (x, y) => x * x + y * y < 1,
  square: (x, y) => Math.max(Math.abs(x), Math.abs(y)) < 0.86,
  triangle: (x, y) => y < 0.8 && 1.75 * Math.abs(x) - y < 1.1,
  diamond: (x, y) => Math.abs(x) + Math.abs(y) < 1.2,
  plus: (x, y) => Math.min(Math.abs(x), Math.abs(y)) < 0.4 && Math.max(Math.abs(x), Math.abs(y)) < 1.1,
};
const SHAPE_NAMES = Object.keys(SHAPES);
const SMALLEST_SHAPE = 2.2; // pixels of radius from which shapes can be told apart
const FINENESS = 4; // parts of a pixel's side that a mark's edge is computed on
const REACH = 1.3; // radii within which every shape lies
const VIRIDIS = ["#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"];

/** "#rrggbb" as three numbers. */
function channels(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}

function mix(one, other, share) {
  return one.map((value, i) => Math.round(value + (other[i] - value) * share));
}

/** A colour of a scale whose order can be seen: share 0 is first, 1 last. */
function scaleColour(share) {
  const place = share * (VIRIDIS.length - 1);
  const below = Math.min(VIRIDIS.length - 2, Math.floor(place));
  return mix(channels(VIRIDIS[below]), channels(VIRIDIS[below + 1]), place - below);
}

/** The pixels of one mark around its middle: where, which colour, how opaque (0 to 256). The rim of `rim` pixels leans
 * towards the ink, so that neighbours of one colour stay apart and a colour close to the paper's is seen. */
function makeStamp(shape, radius, colour, opacity, rim, ink) {
  const inside = SHAPES[shape];
  const side = Math.ceil(radius * REACH);
  const core = radius > rim ? radius / (radius - rim) : Infinity;
  const edge = mix(colour, ink, 0.4);
  const stamp = { reach: side, dx: [], dy: [], alpha: [], red: [], green: [], blue: [] };
  for (let dy = -side; dy <= side; dy++) {
    for (let dx = -side; dx <= side; dx++) {
      let [covered, filled] = [0, 0];
      for (let part = 0; part < FINENESS * FINENESS; part++) {
        const x = (dx + ((part % FINENESS) + 0.5) / FINENESS - 0.5) / radius;
        const y = (dy + (Math.floor(part / FINENESS) + 0.5) / FINENESS - 0.5) / radius;
        if (!inside(x, y)) continue;
        covered++;
        if (rim === 0 || inside(x * core, y * core)) filled++;
      }
      if (!covered) continue;
      const [red, green, blue] = mix(edge, colour, filled / covered);
      stamp.dx.push(dx);
      stamp.dy.push(dy);
      stamp.alpha.push(Math.round((256 * opacity * covered) / FINENESS ** 2));
      stamp.red.push(red);
      stamp.green.push(green);
      stamp.blue.push(blue);
    }
  }
  for (const name of ["dx", "dy", "alpha", "red", "green", "blue"]) stamp[name] = Int32Array.from(stamp[name]);
  return stamp;
}

/** Write one mark. Pixels are 0xAABBGGRR, as little-endian machines keep them. */
function putStamp(pixels, width, height, x, y, stamp) {
  const reach = stamp.reach;
  if (!(x > -reach && y > -reach && x < width + reach && y < height + reach)) return;
  const whole = x >= reach && y >= reach && x < width - reach && y < height - reach;
  const { dx, dy, alpha, red, green, blue } = stamp;
  for (let k = 0; k < dx.length; k++) {
    const px = x + dx[k];
    const py = y + dy[k];
    if (!whole && (px < 0 || py < 0 || px >= width || py >= height)) continue;
    const at = py * width + px;
    const under = pixels[at];
    const share = alpha[k];
    const rest = 256 - share; // red and blue are blended in one go: neither reaches the other's bits
    const both = ((Math.imul(under & 0xff00ff, rest) + Math.imul(red[k] | (blue[k] << 16), share)) | 0) >>> 8;
    const middle = (Math.imul((under >> 8) & 255, rest) + Math.imul(green[k], share)) & 0xff00;
    pixels[at] = 0xff000000 | (both & 0xff00ff) | middle;
  }
}

/** Draw a map into pixels: what is dimmed lies lowest, then grey, then coloured marks.
 *
 * ranks: for each point 0 (hidden), 1 (dimmed), 2 (grey) or 3 (coloured).
 * stampOf(rank, slot, level): the mark of a point. */
function drawPoints(pixels, view, points, ranks, slots, stampOf, paper) {
  const [red, green, blue] = paper;
  pixels.fill(((0xff << 24) | (blue << 16) | (green << 8) | red) >>> 0);
  const { x, y, level, order, count } = points;
  for (let rank = 1; rank <= 3; rank++) {
    for (let place = 0; place < count; place++) {
      const i = order[place];
      if (ranks[i] !== rank) continue;
      const stamp = stampOf(rank, slots[i], (level[i] * LEVELS) >> 8);
      putStamp(pixels, view.width, view.height, Math.round(x[i]), Math.round(y[i]), stamp);
    }
  }
}
