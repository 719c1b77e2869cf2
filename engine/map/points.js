// The points: where they lie, where the reader looks, which one is near. Nothing here touches the document.
// Lengths on screen are device pixels; on the map everything lies within -1 and 1.

const CELL = 24; // of the grid that finds the nearest point
const LEVELS = 4; // of depth that can be told apart
const CLOSEST = 2000; // times the first view
const FARTHEST = 0.3;

/** Little-endian 32-bit floats, as base64. */
function decodeFloats(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return new Float32Array(bytes.buffer);
}

/** The places of all points, and where the current view puts them on the screen. */
class Points {
  constructor(coordinates, dims) {
    this.dims = dims;
    this.count = coordinates.length / dims;
    this.coordinates = coordinates;
    this.x = new Float32Array(this.count);
    this.y = new Float32Array(this.count);
    this.level = new Uint8Array(this.count); // of depth: 0 is farthest
    this.order = new Uint32Array(this.count); // in which they are drawn
    this.extent = this.measure();
    if (dims === 2) this.sort(Uint8Array.from({ length: this.count }, (_, i) => this.depth(coordinates[2 * i + 1])));
  }

  /** How far the points reach from the middle, to the sides and up; in space, in any direction. */
  measure() {
    let [across, up, far] = [1e-6, 1e-6, 1e-6];
    for (let i = 0; i < this.count; i++) {
      const [x, y, z] = this.at(i);
      across = Math.max(across, Math.abs(x));
      up = Math.max(up, Math.abs(y));
      far = Math.max(far, Math.hypot(x, y, z));
    }
    return this.dims === 3 ? [far, far] : [across, up];
  }

  at(i) {
    const first = i * this.dims;
    return [this.coordinates[first], this.coordinates[first + 1], this.dims === 3 ? this.coordinates[first + 2] : 0];
  }

  project(view) {
    const size = view.size(this.extent);
    const [left, top] = [view.width / 2 - view.x * size, view.height / 2 + view.y * size];
    const [a, b, c, d, e, f, g, h, k] = view.turned;
    const from = this.coordinates;
    for (let i = 0, j = 0; i < this.count; i++, j += this.dims) {
      const x = from[j];
      const y = from[j + 1];
      const z = this.dims === 3 ? from[j + 2] : 0;
      this.x[i] = left + (a * x + b * y + c * z) * size;
      this.y[i] = top - (d * x + e * y + f * z) * size;
      if (this.dims === 3) this.level[i] = this.depth((g * x + h * y + k * z) / this.extent[0]);
    }
    if (this.dims === 3) this.sort(this.level);
  }

  /** A place from -1 to 1 as 0 to 255. */
  depth(value) {
    return Math.max(0, Math.min(255, Math.floor((value + 1) * 128)));
  }

  /** Order the points by bytes: in space from far to near; on a plane by rows, since neighbours in memory are written
   * several times faster. A counting sort: 100,000 points take a millisecond. */
  sort(keys) {
    const starts = new Uint32Array(257);
    for (let i = 0; i < this.count; i++) starts[keys[i] + 1]++;
    for (let key = 0; key < 256; key++) starts[key + 1] += starts[key];
    for (let i = 0; i < this.count; i++) this.order[starts[keys[i]]++] = i;
  }
}

/** What part of the map is seen, how large, and from which side. */
class View {
  constructor(deep) {
    this.deep = deep;
    this.width = this.height = 1;
    this.fit();
  }

  fit() {
    [this.x, this.y, this.zoom] = [0, 0, 1];
    this.turned = [1, 0, 0, 0, 1, 0, 0, 0, 1];
    if (this.deep) this.turn(0.5, 0.35); // from a corner, so that depth shows
  }

  /** Pixels that a length of 1 on the map has. */
  size([across, up]) {
    return 0.47 * this.zoom * Math.min(this.width / across, this.height / up);
  }

  pan(right, down, extent) {
    this.x -= right / this.size(extent);
    this.y += down / this.size(extent);
  }

  /** Zoom so that what lies at a place on the screen stays there. */
  zoomAt(x, y, factor, extent) {
    const [right, down] = [x - this.width / 2, y - this.height / 2];
    this.pan(-right, -down, extent);
    this.zoom = Math.max(FARTHEST, Math.min(CLOSEST, this.zoom * factor));
    this.pan(right, down, extent);
  }

  /** Turn about the screen's own axes, in radians: what is in front moves right and down. */
  turn(right, down) {
    const [a, b, c, d, e, f, g, h, k] = this.turned;
    const [cr, sr, cd, sd] = [Math.cos(right), Math.sin(right), Math.cos(down), Math.sin(down)];
    const x = [cr * a + sr * g, cr * b + sr * h, cr * c + sr * k];
    const z = [cr * g - sr * a, cr * h - sr * b, cr * k - sr * c];
    const y = [d, e, f];
    const tilted = [0, 1, 2].map((i) => [cd * y[i] - sd * z[i], sd * y[i] + cd * z[i]]);
    this.turned = [...x, ...tilted.map((pair) => pair[0]), ...tilted.map((pair) => pair[1])];
  }

  /** Put a point of the map into the middle. */
  centre([x, y, z]) {
    const [a, b, c, d, e, f] = this.turned;
    [this.x, this.y] = [a * x + b * y + c * z, d * x + e * y + f * z];
  }
}

/** Which points lie in which cell of the screen, so that the nearest one is found without looking at all. */
class Grid {
  constructor(points, visible, width, height) {
    this.points = points;
    this.columns = Math.ceil(width / CELL);
    this.rows = Math.ceil(height / CELL);
    const cells = new Int32Array(points.count).fill(-1);
    this.starts = new Uint32Array(this.columns * this.rows + 1);
    for (let i = 0; i < points.count; i++) {
      const [x, y] = [points.x[i], points.y[i]];
      if (!visible[i] || !(x >= 0 && y >= 0 && x < width && y < height)) continue;
      cells[i] = Math.floor(y / CELL) * this.columns + Math.floor(x / CELL);
      this.starts[cells[i]]++;
    }
    for (let cell = 0, before = 0; cell < this.starts.length; cell++) before = this.starts[cell] += before;
    this.members = new Uint32Array(this.starts[this.starts.length - 1]);
    for (let i = points.count - 1; i >= 0; i--) if (cells[i] >= 0) this.members[--this.starts[cells[i]]] = i;
  }

  /** The visible point nearest to a place on the screen, within `reach` pixels; -1 if there is none. */
  nearest(x, y, reach) {
    let [found, closest] = [-1, reach * reach];
    const from = (value) => Math.max(0, Math.floor((value - reach) / CELL));
    const to = (value, cells) => Math.min(cells - 1, Math.floor((value + reach) / CELL));
    for (let row = from(y); row <= to(y, this.rows); row++) {
      for (let column = from(x); column <= to(x, this.columns); column++) {
        const cell = row * this.columns + column;
        for (let k = this.starts[cell]; k < this.starts[cell + 1]; k++) {
          const i = this.members[k];
          const distance = (this.points.x[i] - x) ** 2 + (this.points.y[i] - y) ** 2;
          if (distance <= closest) [found, closest] = [i, distance];
        }
      }
    }
    return found;
  }
}
