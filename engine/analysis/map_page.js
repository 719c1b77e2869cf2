// The page: legend, search, pointer and keys. Texts of tags go into the document through textContent only.

const DATA = JSON.parse(document.getElementById("data").textContent);
const COUNT = DATA.ids.length;
const HOVER_REACH = 14; // CSS pixels around the pointer
const TOUCH_REACH = 26;
const MIDDLE_REACH = 80;
const STEP = 60; // CSS pixels that an arrow key moves
const ANGLE = 0.12; // radians that an arrow key turns
const TAP = 6; // CSS pixels that a finger may slip

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
    genre: genre && genre + (DATA.heard[i] === "1" ? "?" : ""),
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

// ---- legend and search ----

function regroup() {
  const { codes, coloured } = state.grouping;
  for (let i = 0; i < COUNT; i++) slots[i] = codes[i] < 0 ? coloured + 1 : Math.min(codes[i], coloured);
  state.hidden.clear();
  restyle();
}

function restyle() {
  stamps.clear();
  listRows();
  rank();
}

function listRows() {
  const counts = new Uint32Array(256);
  for (let i = 0; i < COUNT; i++) counts[slots[i]]++;
  const items = rows().map((row, slot) => (counts[slot] ? legendRow(row, slot, counts[slot]) : null));
  element("slots").replaceChildren(...items.filter(Boolean));
  element("legend-title").textContent = state.grouping.name[0].toUpperCase() + state.grouping.name.slice(1);
}

function legendRow(row, slot, count) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  const [name, number] = [document.createElement("span"), document.createElement("span")];
  button.type = "button";
  button.setAttribute("aria-pressed", String(!state.hidden.has(slot)));
  button.title = row.name;
  [name.className, number.className] = ["name", "count"];
  name.textContent = row.name;
  number.textContent = count.toLocaleString("en");
  button.append(swatch(row), name, number);
  button.addEventListener("click", () => {
    if (!state.hidden.delete(slot)) state.hidden.add(slot);
    button.setAttribute("aria-pressed", String(!state.hidden.has(slot)));
    rank();
  });
  for (const kind of ["pointerenter", "focus"]) button.addEventListener(kind, () => rank(state.hidden.has(slot) ? -1 : slot));
  for (const kind of ["pointerleave", "blur"]) button.addEventListener(kind, () => rank());
  item.append(button);
  return item;
}

function swatch({ colour, shape, grey }) {
  const made = document.createElement("canvas");
  const side = (made.width = made.height = Math.round(18 * density));
  const picture = new ImageData(side, side);
  const middle = Math.floor(side / 2);
  const stamp = makeStamp(shape, 6 * density, colour, 1, grey ? 0 : density, colourOf("ink"));
  for (let k = 0; k < stamp.dx.length; k++) {
    const at = 4 * ((middle + stamp.dy[k]) * side + middle + stamp.dx[k]);
    picture.data.set([stamp.red[k], stamp.green[k], stamp.blue[k], Math.min(255, stamp.alpha[k])], at);
  }
  made.getContext("2d").putImageData(picture, 0, 0);
  return made;
}

function hideAll(hide) {
  state.hidden = new Set(hide ? rows().keys() : []);
  listRows();
  rank();
}

/** Lower case and without accents, as people type. */
function folded(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

let searchable = null; // made at the first search

function search(words) {
  searchable ??= DATA.titles.map((_, i) => folded(Object.values(describe(i)).join("\n")));
  const wanted = folded(words).split(/\s+/).filter(Boolean);
  state.hit = -1;
  state.found = wanted.length ? searchable.map((text) => wanted.every((word) => text.includes(word))) : null;
  const hits = state.found ? state.found.filter(Boolean).length : 0;
  element("hits").textContent = state.found ? `${hits.toLocaleString("en")} found` : "";
  rank();
}

/** Go to the next track found that is not hidden, or to the one before. */
function nextHit(step) {
  if (!state.found) return;
  for (let tried = 0, i = state.hit < 0 && step < 0 ? 0 : state.hit; tried < COUNT; tried++) {
    i = (i + step + COUNT) % COUNT;
    if (!state.found[i] || !ranks[i]) continue;
    state.hit = i;
    view.centre(points.at(i));
    choose(i, true);
    redraw();
    return;
  }
}

// ---- pointer, wheel, keys ----

const pressed = new Map(); // pointers that are down, by id
let slipped = 0; // CSS pixels that they have moved

function place(event) {
  const box = canvas.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

function drag([x, y], [oldX, oldY], event) {
  const [right, down] = [x - oldX, y - oldY];
  if (DATA.dims === 3 && pressed.size === 1 && !event.shiftKey && !(event.buttons & 6)) {
    view.turn(right / 200, down / 200);
  } else {
    view.pan(right * density, down * density, points.extent);
  }
  redraw();
}

function pinch(moved, from, to) {
  const still = [...pressed].find(([id]) => id !== moved)[1];
  const apart = ([x, y]) => Math.hypot(x - still[0], y - still[1]) || 1;
  const middle = (at) => [(at[0] + still[0]) / 2, (at[1] + still[1]) / 2];
  const [before, after] = [middle(from), middle(to)];
  view.pan((after[0] - before[0]) * density, (after[1] - before[1]) * density, points.extent);
  view.zoomAt(after[0] * density, after[1] * density, apart(to) / apart(from), points.extent);
  redraw();
}

function onMove(event) {
  const [now, before] = [place(event), pressed.get(event.pointerId)];
  if (!before) {
    if (event.pointerType === "mouse") state.pointed = nearest(...now, HOVER_REACH);
    refresh();
    return;
  }
  slipped += Math.hypot(now[0] - before[0], now[1] - before[1]);
  pressed.set(event.pointerId, now);
  if (slipped <= TAP) return;
  if (pressed.size === 2) pinch(event.pointerId, before, now);
  else if (pressed.size === 1) drag(now, before, event);
}

function onUp(event) {
  const was = pressed.size;
  pressed.delete(event.pointerId);
  if (event.type === "pointerup" && was === 1 && slipped <= TAP) {
    choose(nearest(...place(event), event.pointerType === "mouse" ? HOVER_REACH : TOUCH_REACH), false);
  }
}

function zoom(factor, x = view.width / 2, y = view.height / 2) {
  view.zoomAt(x, y, factor, points.extent);
  redraw();
}

function onWheel(event) {
  event.preventDefault();
  const lines = event.deltaMode === 1 ? 16 : 1;
  const [x, y] = place(event);
  zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0015)), x * density, y * density);
}

function fit() {
  view.fit();
  redraw();
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function onKey(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const arrow = ARROWS[event.key];
  if (arrow && DATA.dims === 3 && !event.shiftKey) view.turn(arrow[0] * ANGLE, arrow[1] * ANGLE);
  else if (arrow) view.pan(-arrow[0] * STEP * density, -arrow[1] * STEP * density, points.extent);
  else if (event.key === "+" || event.key === "=") zoom(1.4);
  else if (event.key === "-") zoom(1 / 1.4);
  else if (event.key === "0" || event.key === "Home") fit();
  else if (event.key === "Escape") return choose(-1, false);
  else return;
  event.preventDefault();
  points.project(view);
  [grid, stale] = [null, true];
  choose(nearest(view.width / 2 / density, view.height / 2 / density, MIDDLE_REACH), true);
}

function resize() {
  const box = element("stage").getBoundingClientRect();
  density = Math.min(2, window.devicePixelRatio || 1);
  view.width = canvas.width = Math.max(1, Math.round(box.width * density));
  view.height = canvas.height = Math.max(1, Math.round(box.height * density));
  image = context.createImageData(view.width, view.height);
  pixels = new Uint32Array(image.data.buffer);
  redraw();
}

function start() {
  document.body.classList.toggle("three", DATA.dims === 3);
  for (const grouping of DATA.groupings) element("grouping").append(new Option(grouping.name));
  element("grouping").addEventListener("change", (event) => {
    state.grouping = DATA.groupings[event.target.selectedIndex];
    regroup();
  });
  element("search").addEventListener("input", (event) => search(event.target.value));
  element("search").addEventListener("keydown", (event) => {
    if (event.key === "Enter") nextHit(event.shiftKey ? -1 : 1);
  });
  element("closer").addEventListener("click", () => zoom(1.4));
  element("farther").addEventListener("click", () => zoom(1 / 1.4));
  element("fit").addEventListener("click", fit);
  element("all").addEventListener("click", () => hideAll(false));
  element("none").addEventListener("click", () => hideAll(true));
  canvas.addEventListener("pointerdown", (event) => {
    if (!pressed.size) slipped = 0;
    pressed.set(event.pointerId, place(event));
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", onMove);
  for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, onUp);
  canvas.addEventListener("pointerleave", () => {
    state.pointed = -1;
    refresh();
  });
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("wheel", onWheel, { passive: false });
  canvas.addEventListener("keydown", onKey);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", restyle);
  new ResizeObserver(resize).observe(element("stage"));
  if (matchMedia("(max-width: 640px)").matches) element("legend").open = false;
  resize();
  regroup();
}

start();
