// Numbers and names as people read them.
import { texts } from "../texts.js";

// Return seconds as m:ss or h:mm:ss.
export function clock(seconds) {
  if (!Number.isFinite(seconds)) return "–:––";
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const two = (value) => String(value).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

// Return a length in words: "1 h 12 min" or "43 min".
export function length(seconds) {
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? texts.minutes(Math.max(1, minutes)) : texts.hours(Math.floor(minutes / 60), minutes % 60);
}

export const percent = (share) => `${Math.round(100 * share)} %`;
export const count = (value) => new Intl.NumberFormat(document.documentElement.lang).format(value);

// Return the last part of a path.
export const fileName = (path) => path.split(/[\\/]/).pop();
export const titleOf = (track) => track.title || fileName(track.path || "") || texts.unknownTitle;
export const artistOf = (track) => track.artist || texts.unknownArtist;

// Pixels of the screen for pixels of the design: more where the browser or a television has larger letters.
const SCALE = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
export const scaled = (pixels) => Math.round(pixels * SCALE);

// Return the date of seconds since 1970.
export const day = (seconds) => new Date(1000 * seconds).toLocaleDateString(document.documentElement.lang, { dateStyle: "medium" });

// Return the date and time of seconds since 1970.
export const moment = (seconds) =>
  new Date(1000 * seconds).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
