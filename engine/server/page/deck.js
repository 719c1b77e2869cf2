// A deck: one audio element that plays one track, or a part of it.
import { audioUrl } from "./api.js";

const TRANSCODE = "mp3"; // for files that the browser does not decode; every browser plays it

export class Deck {
  // `listener(name, deck)` gets "time", "playing", "paused", "waiting", "ended" and "failed".
  constructor(listener) {
    this.audio = new Audio();
    this.audio.preload = "auto";
    this.track = null;
    this.offset = 0; // seconds into the file at which an encoded stream starts
    this.encoded = false;
    this.wanted = false;
    const events = {
      timeupdate: "time", durationchange: "time", playing: "playing", pause: "paused", waiting: "waiting", ended: "ended",
    };
    for (const [event, name] of Object.entries(events)) {
      this.audio.addEventListener(event, () => this.track && listener(name, this));
    }
    this.audio.addEventListener("error", () => {
      if (!this.track) return;
      if (this.encoded) listener("failed", this);
      else this.#encode(this.audio.currentTime || this.start || 0);
    });
  }

  // Load a track, without playing it.
  load(track, start = 0) {
    this.track = track;
    this.start = start;
    this.encoded = false;
    this.offset = 0;
    this.wanted = false;
    this.audio.src = audioUrl(track.track_id);
    if (start) this.audio.currentTime = start;
  }

  play() {
    this.wanted = true;
    return this.audio.play().catch(() => {}); // refused, or replaced by another track meanwhile
  }

  pause() {
    this.wanted = false;
    this.audio.pause();
  }

  clear() {
    this.track = null;
    this.wanted = false;
    this.audio.removeAttribute("src");
    this.audio.load();
  }

  get time() {
    return this.offset + this.audio.currentTime;
  }

  get duration() {
    const known = this.track?.seconds;
    return known || (Number.isFinite(this.audio.duration) ? this.offset + this.audio.duration : 0);
  }

  seek(seconds) {
    const target = Math.max(0, Math.min(seconds, Math.max(0, this.duration - 0.25)));
    if (this.encoded) this.#encode(target);
    else this.audio.currentTime = target;
  }

  // An encoded stream cannot be sought in: it is started again where it is wanted.
  #encode(start) {
    const playing = this.wanted;
    this.encoded = true;
    this.offset = start;
    this.audio.src = audioUrl(this.track.track_id, { codec: TRANSCODE, start });
    if (playing) this.play();
  }
}
