// The map: every track is a point, and tracks that sound alike are close together.
import { get } from "../api.js";
import { html, useEffect, useMemo, useRef, useState } from "../html.js";
import { NUMBERS, colourPoints, legendOf, makeAtlas, nearest, regionsOf, rowsInside, rowsWithin } from "../parts/atlas.js";
import { OTHER, scaleColour } from "../parts/colours.js";
import { artistOf, count, day, titleOf } from "../parts/format.js";
import { Icon } from "../parts/icons.js";
import { paintLabels } from "../parts/labels.js";
import { createPoints } from "../parts/points.js";
import { Answer, Empty } from "../parts/states.js";
import { MapView2D } from "../parts/view.js";
import * as player from "../player.js";
import { say } from "../notices.js";
import { complete, radio } from "../radio.js";
import { useLoad, useStore } from "../store.js";
import { texts } from "../texts.js";

const REACH = 12; // pixels around the pointer in which a point is found
const TITLES = 24; // tracks in the window at which their titles are shown
const MOST_QUEUED = 1000;
const QUIET_MS = 220; // without moving, before titles are loaded
const DAY_SECONDS = 86400;
const STEP = 60; // pixels that an arrow key moves
const known = new Map(); // documents of tracks that were pointed at

export function MapView() {
  const columns = useLoad((signal) => get("map/points", {}, signal), []);
  return html`<div class="map-view"><h1 class="hidden">${texts.map.heading}</h1><${Answer} of=${columns} show=${(data) =>
    data.track_id.length < 2
      ? html`<${Empty} icon="map" title=${texts.map.nothing} hint=${texts.map.nothingHint} />`
      : html`<${Sky} columns=${data} />`} /></div>`;
}

async function documentOf(id) {
  if (!known.has(id)) for (const track of await complete([{ track_id: id }])) known.set(track.track_id, track);
  return known.get(id);
}

function Sky({ columns }) {
  const atlas = useMemo(() => makeAtlas(columns), [columns]);
  const [by, setBy] = useState("genre");
  const [lasso, setLasso] = useState(false);
  const [selection, setSelection] = useState(null);
  const [tip, setTip] = useState(null);
  const [broken, setBroken] = useState(false);
  const sky = useRef(null);
  const glass = useRef(null);
  const stage = useRef({}).current;
  const playingId = useStore(player.player, (state) => player.currentTrack(state)?.track_id);
  const path = useStore(radio, (state) => state.path);
  Object.assign(stage, { lasso, playing: atlas.rowOf.get(playingId) ?? -1,
    path: path.map((id) => atlas.rowOf.get(id)).filter((row) => row !== undefined) });

  useEffect(() => {
    const points = createPoints(sky.current);
    if (!points) {
      setBroken(true);
      return;
    }
    const view = new MapView2D(() => (stage.dirty = true));
    Object.assign(stage, { view, points, titles: [], hovered: -1, loop: null, dirty: true });
    points.setPlaces(atlas.places);
    const sizes = new ResizeObserver(([{ contentRect }]) => view.resize(contentRect.width, contentRect.height));
    sizes.observe(sky.current);
    view.attach(glass.current, {
      lassoing: () => stage.lasso,
      hover: (px, py) => point(px, py),
      click: async (px, py) => {
        const row = find(px, py);
        if (row >= 0) player.playTracks([await documentOf(atlas.track_id[row])]);
      },
      lasso: (loop, done) => {
        Object.assign(stage, { loop: done ? null : loop, dirty: true });
        if (!done) return;
        const rows = rowsInside(atlas, loop.map(([x, y]) => view.toMap(x, y)));
        setSelection(rows.length ? new Set(rows) : null);
        setLasso(false);
      },
    });
    const find = (px, py) => nearest(atlas, ...view.toMap(px, py), REACH / view.zoom);
    const point = async (px, py) => {
      const row = px === null ? -1 : find(px, py);
      if (row === stage.hovered) return;
      Object.assign(stage, { hovered: row, dirty: true });
      const track = row < 0 ? null : await documentOf(atlas.track_id[row]);
      if (stage.hovered === row) setTip(track && { track, at: view.toPixels(atlas.places[2 * row], atlas.places[2 * row + 1]) });
    };
    const stop = animate(stage, atlas, sky.current, glass.current);
    return () => {
      stop();
      sizes.disconnect();
      points.free();
    };
  }, [atlas]);
  useEffect(() => {
    if (!stage.points) return;
    stage.points.setColours(colourPoints(atlas, by, selection));
    Object.assign(stage, { regions: regionsOf(atlas, by), dirty: true });
  }, [atlas, by, selection]);
  stage.dirty = true;

  if (broken) return html`<${Empty} icon="map" title=${texts.map.noWebgl} hint=${texts.map.noWebglHint} />`;
  const { width = 1 } = stage.view || {};
  return html`<div class="sky" data-lasso=${lasso}><canvas ref=${sky} aria-hidden="true"></canvas>
      <canvas ref=${glass} class="glass" tabindex="0" role="application" aria-label=${texts.map.label}
        onKeyDown=${(event) => onKey(event, stage, atlas)}></canvas>
      ${tip && html`<div class="tip" style=${{ left: `${Math.min(tip.at[0], width - 200)}px`, top: `${tip.at[1]}px` }}>
        <b dir="auto">${titleOf(tip.track)}</b><span dir="auto">${artistOf(tip.track)}</span>
        <span class="muted">${[tip.track.genre, tip.track.year].filter(Boolean).join(" · ")}</span></div>`}</div>
    <${Tools} by=${by} setBy=${setBy} lasso=${lasso} setLasso=${setLasso} view=${() => stage.view} />
    ${selection && html`<${Selected} rows=${[...selection]} atlas=${atlas} clear=${() => setSelection(null)} />`}
    <${Legend} atlas=${atlas} by=${by} />`;
}

// Draw whenever something changed, and while the playing track glows. Returns a function that ends it.
function animate(stage, atlas, sky, glass) {
  let frame = 0;
  let quiet = 0;
  const draw = (now) => {
    frame = requestAnimationFrame(draw);
    const moving = stage.view.step();
    const glowing = stage.playing >= 0 && !stage.view.calm;
    if (!stage.dirty && !moving && !glowing) return;
    if (stage.dirty || moving) {
      clearTimeout(quiet);
      quiet = setTimeout(() => nameVisible(stage, atlas), QUIET_MS);
    }
    stage.diameter = diameterOf(atlas.number, stage.view.magnification);
    if (stage.dirty || moving) stage.points.draw(stage.view, stage.diameter);
    stage.dirty = false;
    sky.dataset.frames = Number(sky.dataset.frames || 0) + 1;
    paintLabels(glass, { ...stage, atlas, now, regions: stage.regions || [] });
  };
  frame = requestAnimationFrame(draw);
  return () => {
    cancelAnimationFrame(frame);
    clearTimeout(quiet);
  };
}

// Points shrink as their number grows, and grow by zoom, more slowly than the distances between them.
const diameterOf = (number, magnification) =>
  Math.min(18, Math.max(2.2, 15 - 2.5 * Math.log10(number)) * magnification ** 0.3);

async function nameVisible(stage, atlas) {
  const { view } = stage;
  const [left, top] = view.toMap(0, 0);
  const [right, bottom] = view.toMap(view.width, view.height);
  const rows = rowsWithin(atlas, left, bottom, right, top, TITLES);
  const missing = (rows || []).filter((row) => !known.has(atlas.track_id[row]));
  for (const track of await complete(missing.map((row) => ({ track_id: atlas.track_id[row] })))) known.set(track.track_id, track);
  stage.titles = (rows || []).filter((row) => known.has(atlas.track_id[row]))
    .map((row) => [row, titleOf(known.get(atlas.track_id[row]))]);
  glassDirty(stage);
}

function glassDirty(stage) {
  const names = stage.titles.map(([row]) => row).join();
  if (names !== stage.named) Object.assign(stage, { named: names, dirty: true });
}

async function onKey(event, { view }, atlas) {
  const moves = { ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] };
  const middle = [view.width / 2, view.height / 2];
  if (moves[event.key]) view.pan(...moves[event.key]);
  else if (event.key === "+" || event.key === "=") view.zoomAt(...middle, 1.5);
  else if (event.key === "-") view.zoomAt(...middle, 1 / 1.5);
  else if (event.key === "0") view.reset();
  else if (event.key === "Enter") {
    const row = nearest(atlas, view.x, view.y, 2);
    if (row >= 0) player.playTracks([await documentOf(atlas.track_id[row])]);
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

function Tools({ by, setBy, lasso, setLasso, view }) {
  const zoom = (factor) => view().zoomAt(view().width / 2, view().height / 2, factor);
  return html`<div class="map-tools panel"><label class="select"><span class="hidden">${texts.map.colour}</span>
      <select value=${by} onChange=${(event) => setBy(event.target.value)}>
        ${Object.entries(texts.map.colours).map(([value, name]) => html`<option value=${value}>${name}</option>`)}</select></label>
    <button class="icon-button" aria-pressed=${lasso} title=${texts.map.lassoHint} aria-label=${texts.map.lasso}
      onClick=${() => setLasso(!lasso)}><${Icon} name="lasso" /></button>
    <button class="icon-button" aria-label=${texts.map.zoomIn} onClick=${() => zoom(1.6)}><${Icon} name="add" /></button>
    <button class="icon-button" aria-label=${texts.map.zoomOut} onClick=${() => zoom(1 / 1.6)}><${Icon} name="minus" /></button>
    <button class="icon-button" aria-label=${texts.map.reset} onClick=${() => view().reset()}><${Icon} name="whole" /></button>
  </div>`;
}

function Selected({ rows, atlas, clear }) {
  const take = async (use) => {
    const ids = rows.slice(0, MOST_QUEUED).map((row) => ({ track_id: atlas.track_id[row] }));
    use(await complete(ids));
    clear();
  };
  return html`<div class="map-selected panel" role="status"><b>${texts.map.selected(rows.length)}</b>
    <button class="button small" onClick=${() => take((tracks) => player.playTracks(tracks))}><${Icon} name="play" />
      ${texts.map.playSelected}</button>
    <button class="button quiet small" onClick=${() => take((tracks) => {
      player.enqueue(tracks);
      say(texts.queue.addedMany(tracks.length));
    })}>${texts.map.queueSelected}</button>
    <button class="icon-button" aria-label=${texts.map.drop} onClick=${clear}><${Icon} name="close" /></button></div>`;
}

// The colours of numbers: the least and the greatest, and those that are not known.
function Scale({ atlas, by }) {
  const [first, last] = atlas.scales[by];
  const write = { year: String, added: (value) => day(value * DAY_SECONDS), plays: texts.map.plays }[by];
  const missing = atlas[by].reduce((sum, value) => sum + !value, 0);
  const one = (name, colour, tracks) => tracks > 0 && html`<li><span class="legend-dot" style=${{ background: colour }}></span>
    ${name}<span class="chip-count">${count(tracks)}</span></li>`;
  return html`${last > first && html`<span class="legend-scale"></span>
      <p class="legend-ends"><span>${write(first)}</span><span>${write(last)}</span></p>`}
    <ul>${last === first && last > 0 && one(write(last), scaleColour(1, [0, 0]), atlas.number - missing)}
      ${one(texts.map.never[by], OTHER, missing)}</ul>`;
}

function Legend({ atlas, by }) {
  const entries = useMemo(() => legendOf(atlas, by), [atlas, by]);
  return html`<aside class="legend panel" aria-label=${texts.map.legend}>${NUMBERS.includes(by)
    ? html`<${Scale} atlas=${atlas} by=${by} />`
    : html`<ul>${entries.map(({ name, colour, tracks }) => html`<li key=${name}>
      <span class="legend-dot" style=${{ background: colour }}></span>${name}<span class="chip-count">${count(tracks)}</span>
    </li>`)}</ul>`}</aside>`;
}
