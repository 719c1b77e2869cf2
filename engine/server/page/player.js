// The player: a queue, two decks for gapless playing and crossfades, the media keys, and the record of plays.
import * as api from "./api.js";
import { Deck } from "./deck.js";
import { createStore, readSetting, writeSetting } from "./store.js";
import { artistOf, titleOf } from "./parts/format.js";
import { say } from "./notices.js";
import { texts } from "./texts.js";

const PRELOAD_SECONDS = 12; // before the end of a track the next one is loaded
const PLAYED_SHARE = 0.5; // of a track that counts as a play; less, when another is chosen, as a skip
const RESTART_SECONDS = 4; // after which "previous" starts the track again
const HISTORY = 200;

export const player = createStore({
  queue: [], // tracks; queue[index] is the current one
  index: -1,
  playing: false,
  waiting: false,
  volume: readSetting("volume", 1),
  muted: false,
  crossfade: readSetting("crossfade", 0),
});
export const clockStore = createStore({ time: 0, duration: 0 });

let decks = null;
let active = 0;
let fading = null;
let counted = false;
const listeners = { changed: [] };

export const currentTrack = (state = player.get()) => state.queue[state.index] || null;
export const onTrackChange = (listener) => listeners.changed.push(listener);
const deck = () => (decks ||= [new Deck(onDeckEvent), new Deck(onDeckEvent)])[active];
const spare = () => decks[1 - active];

// Play tracks from one of them on, in place of the queue.
export function playTracks(tracks, index = 0) {
  if (!tracks.length) return;
  noteSkip();
  player.set({ queue: [...tracks], index: -1 });
  start(index);
}

// Play one track of a list next, keeping the queued tracks.
export function enqueue(tracks, next = false) {
  const { queue, index } = player.get();
  const at = next ? index + 1 : queue.length;
  player.set({ queue: [...queue.slice(0, at), ...tracks, ...queue.slice(at)] });
  if (index < 0) start(0);
}

// Play an entry of the queue.
export function jump(index) {
  noteSkip();
  start(index);
}

export function toggle() {
  if (!currentTrack()) return;
  if (player.get().playing) deck().pause();
  else deck().play();
}

export function pause() {
  if (currentTrack()) deck().pause();
}

export function next() {
  const { index, queue } = player.get();
  noteSkip();
  if (index + 1 < queue.length) start(index + 1);
}

export function previous() {
  const { index } = player.get();
  if (clockStore.get().time > RESTART_SECONDS || index <= 0) seek(0);
  else start(index - 1);
}

export function seek(seconds) {
  if (!currentTrack()) return;
  deck().seek(seconds);
  clockStore.set({ time: deck().time });
}

export const seekBy = (seconds) => seek(deck().time + seconds);
export const positionNow = () => (currentTrack() ? deck().time : 0);

// Play a track from a moment on: in the queue's place if it is not the current one.
export function playAt(track, seconds) {
  if (currentTrack()?.track_id !== track.track_id) playTracks([track]);
  seek(seconds);
  deck().play();
}

export function setVolume(volume) {
  writeSetting("volume", volume);
  player.set({ volume, muted: false });
  applyVolume();
}

export function toggleMute() {
  player.set({ muted: !player.get().muted });
  applyVolume();
}

export function setCrossfade(seconds) {
  writeSetting("crossfade", seconds);
  player.set({ crossfade: seconds });
}

// Replace the tracks after the current one.
export function setUpcoming(tracks) {
  const { queue, index } = player.get();
  player.set({ queue: [...queue.slice(0, index + 1), ...tracks] });
}

export function removeAt(at) {
  const { queue, index } = player.get();
  if (at === index) return;
  player.set({ queue: queue.filter((_, each) => each !== at), index: at < index ? index - 1 : index });
}

export function move(from, to) {
  const { queue, index } = player.get();
  if (to <= index || to >= queue.length) return;
  const changed = [...queue];
  changed.splice(to, 0, ...changed.splice(from, 1));
  player.set({ queue: changed });
}

// Store an event of the playing track: "play", "skip" or "like".
export function record(event, track = currentTrack()) {
  if (!track) return;
  const play = { track_id: track.track_id, event, time: Date.now() / 1000 };
  api.post("plays", { plays: [play] }).catch(() => {}); // history is no reason to stop the music
}

function start(index) {
  const track = player.get().queue[index];
  if (!track) return;
  stopFade();
  const ready = decks && spare().track === track;
  if (ready) {
    deck().clear();
    active = 1 - active;
  } else {
    deck().load(track);
    spare().clear();
  }
  become(index);
  deck().play();
}

// Make an entry of the queue the current one.
function become(index) {
  counted = false;
  const { queue } = player.get();
  const dropped = Math.max(0, index - HISTORY);
  player.set({ queue: queue.slice(dropped), index: index - dropped, playing: true });
  clockStore.set({ time: 0, duration: deck().duration });
  applyVolume();
  describe(currentTrack());
  for (const listener of listeners.changed) listener(currentTrack());
}

function onDeckEvent(name, from) {
  if (from !== deck()) return;
  if (name === "time") follow();
  if (name === "playing") player.set({ playing: true, waiting: false });
  if (name === "paused" && !from.audio.ended) player.set({ playing: false });
  if (name === "waiting") player.set({ waiting: true });
  if (name === "ended") finish();
  if (name === "failed") {
    say(texts.player.failed(titleOf(from.track)), "error");
    finish();
  }
  if ("mediaSession" in navigator) navigator.mediaSession.playbackState = player.get().playing ? "playing" : "paused";
}

// Keep the clock, count the play, load the next track in time and start a crossfade.
function follow() {
  const { time, duration } = deck();
  clockStore.set({ time, duration });
  if (!counted && duration && time > PLAYED_SHARE * duration) {
    counted = true;
    record("play");
  }
  const { queue, index, crossfade } = player.get();
  const following = queue[index + 1];
  if (!following || !duration) return;
  const left = duration - time;
  if (left < PRELOAD_SECONDS + crossfade && spare().track !== following) spare().load(following);
  if (crossfade && left < crossfade && !fading && deck().wanted) fade(index + 1, left);
}

function finish() {
  const { index, queue } = player.get();
  if (index + 1 < queue.length) start(index + 1);
  else player.set({ playing: false });
}

// Let the next track come in while the current one goes, over so many seconds.
function fade(index, seconds) {
  const going = deck();
  active = 1 - active;
  deck().audio.volume = 0;
  deck().play();
  become(index);
  const began = performance.now();
  fading = setInterval(() => {
    const share = Math.min(1, (performance.now() - began) / (1000 * Math.max(0.5, seconds)));
    const { volume } = player.get();
    deck().audio.volume = volume * Math.sin((share * Math.PI) / 2);
    going.audio.volume = volume * Math.cos((share * Math.PI) / 2);
    if (share === 1) stopFade();
  }, 50);
}

function stopFade() {
  if (!fading) return;
  clearInterval(fading);
  fading = null;
  spare().clear();
  applyVolume();
}

function applyVolume() {
  const { volume, muted } = player.get();
  for (const each of decks || []) {
    each.audio.muted = muted;
    if (!fading) each.audio.volume = volume;
  }
}

function noteSkip() {
  if (currentTrack() && !counted && clockStore.get().time > 1) record("skip");
}

function describe(track) {
  document.title = `${titleOf(track)} · ${artistOf(track)}`;
  if (!("mediaSession" in navigator)) return;
  const artwork = [{ src: new URL(api.coverUrl(track.track_id, 512), location.href).href, sizes: "512x512" }];
  navigator.mediaSession.metadata = new MediaMetadata({
    title: titleOf(track), artist: artistOf(track), album: track.album || "", artwork,
  });
  const actions = {
    play: toggle, pause: toggle, nexttrack: next, previoustrack: previous,
    seekto: (details) => seek(details.seekTime), seekbackward: () => seekBy(-10), seekforward: () => seekBy(10),
  };
  for (const [name, action] of Object.entries(actions)) navigator.mediaSession.setActionHandler(name, action);
}
