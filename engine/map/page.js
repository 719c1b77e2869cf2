// The page: what is drawn and what is told. Texts of tags go into the document through textContent only.

const DATA = JSON.parse(document.getElementById("data").textContent);
const COUNT = DATA.ids.length;

const element = (id) => document.getElementById(id);
const canvas = element("canvas");
const context = canvas.getContext("2d", { alpha: false });
const points = new Points(decodeFloats(DATA.coordinates), DATA.dims);
const view = new View(DATA.dims === 3);
const ranks = new Uint8Array(COUNT);
const slots = new Uint8Array(COUNT); // which row of the legend a point belongs to
const state = { grouping: DATA.groupings[0], hidden: new Set(), pointed: -1, chosen: -1, found: null, hit: -1 };
let [image, pixels, grid, stamps, density] = [null, null, null, new Map(), 1];
let [waiting, stale] = [false, true];

// ---- what is drawn ----

function colourOf(name) {
  return channels(getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
}

/** The legend's rows: the coloured values, then what is grey. */
function rows() {
  const { values, coloured, ordered } = state.grouping;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const share = (i) => (dark ? 0.2 : 0) + (0.8 * i) / Math.max(1, coloured - 1); // neither end may vanish
  const colour = (i) => {
    if (ordered) return scaleColour(share(i));
    return DATA.colours[i] === "ink" ? colourOf("ink") : channels(DATA.colours[i]);
  };
  const named = values.slice(0, coloured).map((name, i) => {
    return { name, colour: colour(i), shape: ordered ? "disc" : SHAPE_NAMES[i % SHAPE_NAMES.length] };
  });
  const others = values.length - coloured;
  named.push({ name: `${others.toLocaleString("en")} others`, colour: colourOf("other"), shape: "disc", grey: true });
  named.push({ name: `no ${state.grouping.name}`, colour: colourOf("none"), shape: "disc", grey: true });
  return named;
}

function radius() {
  const first = Math.max(1.3, Math.min(6, 14 * COUNT ** -0.2)); // CSS pixels in the first view
  const room = Math.min(1, Math.sqrt(Math.min(view.width, view.height) / density / 700));
  return Math.min(9, first * room * Math.max(1, view.zoom) ** 0.35);
}

/** A mark's pixels, made when first needed: near ones are larger, far ones paler. */
function stampMaker(listed) {
  const size = Math.round(radius() * density * 4) / 4;
  const [paper, dim, ink] = ["paper", "dim", "ink"].map(colourOf);
  return (rank, slot, level) => {
    const key = ((rank === 1 ? listed.length : slot) * LEVELS + level) * 4096 + Math.round(size * 4);
    let stamp = stamps.get(key);
    if (!stamp) {
      const near = DATA.dims === 3 ? (level + 1) / LEVELS : 1;
      const { colour, shape } = rank === 1 ? { colour: dim, shape: "disc" } : listed[slot];
      const scaled = size * (DATA.dims === 3 ? 0.8 + 0.4 * near : 1) * (rank === 3 ? 1 : 0.85);
      const rim = rank === 3 && scaled >= 2 ? Math.min(density, scaled / 3) : 0;
      const seen = size < SMALLEST_SHAPE ? "disc" : shape;
      stamp = makeStamp(seen, scaled, mix(paper, colour, 0.45 + 0.55 * near), rank === 1 ? 1 : 0.88, rim, ink);
      stamps.set(key, stamp);
    }
    return stamp;
  };
}

/** Which points are hidden, dimmed, grey or coloured; `only` is a row of the legend that alone is to stand out. */
function rank(only = -1) {
  const { coloured } = state.grouping;
  for (let i = 0; i < COUNT; i++) {
    const dimmed = (state.found && !state.found[i]) || (only >= 0 && slots[i] !== only);
    ranks[i] = state.hidden.has(slots[i]) ? 0 : dimmed ? 1 : slots[i] < coloured ? 3 : 2;
  }
  redraw();
}

function redraw() {
  [stale, grid] = [true, null];
  refresh();
}

function refresh() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    if (stale) paint();
    stale = false;
    context.putImageData(image, 0, 0);
    markChosen();
  });
}

function paint() {
  points.project(view);
  drawPoints(pixels, view, points, ranks, slots, stampMaker(rows()), colourOf("paper"));
}

/** A ring around the point whose card is shown. */
function markChosen() {
  const i = state.pointed >= 0 ? state.pointed : state.chosen;
  showCard(i);
  if (i < 0) return;
  context.beginPath();
  context.arc(points.x[i], points.y[i], (radius() + 4) * density, 0, 2 * Math.PI);
  context.lineWidth = 2 * density;
  context.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--ink");
  context.stroke();
}

// ---- what is told about a point ----

function valueOf(grouping, i) {
  const code = grouping.codes[i];
  return code < 0 ? "" : grouping.values[code];
}

function describe(i) {
  const [genre, mood, artist] = DATA.groupings.map((grouping) => valueOf(grouping, i));
  return {
    title: DATA.titles[i],
    artist,
    genre: genre && genre + (DATA.predicted[i] === "1" ? "?" : ""),
    mood,
    year: DATA.years[i] ? String(DATA.years[i]) : "",
    id: `id:${DATA.ids[i]}`,
  };
}

function showCard(i) {
  const card = element("card");
  card.hidden = i < 0 || !ranks[i];
  if (card.hidden) return;
  if (card.dataset.shown !== String(i)) {
    const { title, artist, genre, mood, year, id } = describe(i);
    const line = (tag, text, kind) => {
      const made = document.createElement(tag);
      made.textContent = text;
      made.className = kind;
      return made;
    };
    const lines = [line("b", title, ""), line("span", artist, "")];
    lines.push(line("span", [genre, mood, year, id].filter(Boolean).join(" · "), "soft"));
    card.replaceChildren(...lines.filter((made) => made.textContent));
    card.dataset.shown = String(i);
  }
  const [x, y] = [points.x[i] / density, points.y[i] / density];
  const { clientWidth: width, clientHeight: height } = element("stage");
  const right = x + 16 + card.offsetWidth < width ? x + 16 : x - 16 - card.offsetWidth;
  const down = y + 16 + card.offsetHeight < height ? y + 16 : y - 16 - card.offsetHeight;
  card.style.transform = `translate(${Math.round(Math.max(4, right))}px, ${Math.round(Math.max(4, down))}px)`;
}

function speak(i) {
  const told = i < 0 ? "no track here" : Object.values(describe(i)).filter(Boolean).join(", ");
  element("spoken").textContent = told;
}

function nearest(x, y, reach) {
  grid ??= new Grid(points, ranks, view.width, view.height);
  return grid.nearest(x * density, y * density, reach * density);
}

function choose(i, aloud) {
  [state.chosen, state.pointed] = [i, -1];
  if (aloud) speak(i);
  refresh();
}
