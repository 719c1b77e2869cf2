// The legend, which hides and shows groups, and the search.

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
  if (state.found && !state.found[state.chosen]) state.chosen = -1; // its card would speak of what is not looked for
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
