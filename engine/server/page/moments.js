// Moments: short parts of tracks, played one after the other in a loop, to show why two tracks match.
import { Deck } from "./deck.js";
import { player, pause } from "./player.js";
import { createStore } from "./store.js";

export const moments = createStore({ key: null, index: 0, side: 0 });

let decks = null;
let parts = []; // [{ index, side, track, start, end }]
let at = 0;
let timer = null;

// Play parts in a loop; `key` names the panel that shows them.
export function loopMoments(key, list) {
  stopMoments();
  pause();
  parts = list;
  decks ||= [new Deck(() => {}), new Deck(() => {})];
  moments.set({ key });
  play(0);
}

export function stopMoments() {
  clearInterval(timer);
  for (const deck of decks || []) deck.clear();
  parts = [];
  moments.set({ key: null });
}

function play(index) {
  at = index;
  const part = parts[at];
  const deck = decks[part.side];
  decks[1 - part.side].pause();
  if (deck.track?.track_id === part.track.track_id) deck.seek(part.start);
  else deck.load(part.track, part.start);
  deck.audio.volume = player.get().volume;
  deck.audio.muted = player.get().muted;
  deck.play();
  moments.set({ index: part.index, side: part.side });
  clearInterval(timer);
  timer = setInterval(() => {
    if (deck.time >= part.end || deck.audio.ended) play((at + 1) % parts.length);
  }, 60);
}
