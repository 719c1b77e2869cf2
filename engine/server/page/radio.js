// Radio: an endless queue of tracks near to its seeds, steered by likes, skips and "less like this"; and paths.
import * as api from "./api.js";
import { isStarred, toggleStar } from "./favourites.js";
import { say, sayError } from "./notices.js";
import { currentTrack, enqueue, next, onTrackChange, player, playTracks, record, setUpcoming } from "./player.js";
import { createStore } from "./store.js";
import { titleOf } from "./parts/format.js";
import { texts } from "./texts.js";

const BATCH = 12; // tracks of one request
const LOW = 4; // tracks left at which more are requested
const VARIETY = 0.3; // so that two radios from one seed differ
const STEPS = 12; // tracks of a path

export const radio = createStore({ on: false, label: "", seeds: [], unlike: [], path: [] });

let used = new Set(); // ids: a radio never repeats itself
let requested = null;

// Start a radio from references (a track's id, artist:NAME, album:NAME); `first` plays at once.
export async function startRadio(seeds, label, first = null) {
  used = new Set();
  radio.set({ on: true, label, seeds: seeds.map((seed) => ({ reference: seed, label })), unlike: [], path: [] });
  const tracks = await draw();
  if (first) tracks.unshift(first);
  if (!tracks.length) {
    radio.set({ on: false });
    say(texts.queue.noRadio);
    return;
  }
  remember(tracks);
  playTracks(tracks);
  say(texts.queue.radioStarted(label));
}

export const radioFromTrack = (track) => startRadio([String(track.track_id)], titleOf(track), track);

// Continue with tracks that sound like the queue's last ones.
export function continueRadio() {
  const recent = player.get().queue.slice(-5);
  if (!recent.length) return;
  used = new Set(player.get().queue.map((track) => track.track_id));
  const seeds = recent.map((track) => ({ reference: String(track.track_id), label: titleOf(track) }));
  radio.set({ on: true, label: titleOf(recent.at(-1)), seeds, unlike: [], path: [] });
  refill();
}

export const stopRadio = () => radio.set({ on: false });

// Star the playing track: a running radio gives more of it. A second time takes the star.
export function like(track = currentTrack()) {
  if (!track) return;
  const item = String(track.track_id);
  toggleStar(item, titleOf(track));
  if (!isStarred(item)) return;
  steer("seeds", track);
  if (radio.get().on) say(texts.player.likeDone);
}

// Leave the playing track: a running radio moves away from it.
export function lessLike(track = currentTrack()) {
  if (!track) return;
  record("skip", track);
  steer("unlike", track);
  if (radio.get().on) say(texts.player.lessDone);
  next();
}

// Drop a seed ("seeds") or a track to avoid ("unlike") of the running radio.
export function forget(list, reference) {
  const kept = radio.get()[list].filter((each) => each.reference !== reference);
  if (list === "seeds" && !kept.length) return;
  radio.set({ [list]: kept });
  redraw();
}

// Queue a path from one track to another.
export async function makePath(from, to) {
  try {
    const made = await api.post("playlists/path", { start: from.track_id, end: to.track_id, n: STEPS });
    const tracks = await complete(made.tracks);
    radio.set({ on: false, path: tracks.map((track) => track.track_id) });
    if (currentTrack()?.track_id === from.track_id) setUpcoming(tracks.slice(1));
    else playTracks(tracks);
    say(texts.queue.pathMade(tracks.length));
  } catch (error) {
    sayError(error);
  }
}

// Put the upcoming tracks into the smoothest order.
export async function smoothOrder() {
  const { queue, index } = player.get();
  const rest = queue.slice(Math.max(0, index));
  if (rest.length < 3) return;
  try {
    const made = await api.post("playlists/order", { tracks: [...new Set(rest.map((track) => track.track_id))] });
    const known = new Map(rest.map((track) => [track.track_id, track]));
    setUpcoming(made.tracks.slice(1).map((track) => known.get(track.track_id)));
  } catch (error) {
    sayError(error);
  }
}

// Return the full documents of tracks of which an answer holds only names.
export async function complete(tracks) {
  if (!tracks.length) return [];
  const { tracks: full } = await api.get("tracks", { id: tracks.map((track) => track.track_id), limit: 1000 });
  return full;
}

function steer(list, track) {
  if (!radio.get().on) return;
  const entry = { reference: String(track.track_id), label: titleOf(track) };
  const others = radio.get()[list].filter((each) => each.reference !== entry.reference);
  radio.set({ [list]: [...others, entry] });
  redraw();
}

// Replace the radio's queued tracks after a change of its seeds.
function redraw() {
  for (const track of upcoming()) used.delete(track.track_id);
  setUpcoming(upcoming().slice(0, 1)); // the next track may be fading in
  remember(upcoming());
  refill();
}

const upcoming = () => player.get().queue.slice(player.get().index + 1);
const remember = (tracks) => tracks.forEach((track) => used.add(track.track_id));

async function draw() {
  const { seeds, unlike } = radio.get();
  try {
    const made = await api.post("playlists/radio", {
      seeds: seeds.map((each) => each.reference),
      unlike: unlike.map((each) => each.reference),
      n: BATCH,
      not_track: [...used, ...player.get().queue.slice(-1).map((track) => track.track_id)].slice(-9000),
      variety: VARIETY,
    });
    return (await complete(made.tracks)).filter((track) => !used.has(track.track_id));
  } catch (error) {
    sayError(error);
    return [];
  }
}

async function refill() {
  if (!radio.get().on || requested || upcoming().length >= LOW) return;
  requested = draw();
  const tracks = await requested;
  requested = null;
  if (!radio.get().on) return;
  if (tracks.length) enqueue(tracks);
  else if (!upcoming().length) say(texts.queue.radioEnd);
  remember(tracks);
}

onTrackChange(refill);
