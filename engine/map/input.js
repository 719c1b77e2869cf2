// Pointer, wheel, fingers and keys; and the start of everything.

const HOVER_REACH = 14; // CSS pixels around the pointer
const TOUCH_REACH = 26;
const MIDDLE_REACH = 80;
const STEP = 60; // CSS pixels that an arrow key moves
const ANGLE = 0.12; // radians that an arrow key turns
const TAP = 6; // CSS pixels that a finger may slip

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
