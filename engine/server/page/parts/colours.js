// Colours of data: one for each genre and mood, the same on every view and in both themes.

const GENRES = {
  blues: "#4f7fe0", classical: "#c9a227", country: "#c27b3f", disco: "#e05fb0", electronic: "#23b5b5",
  folk: "#7fae3f", hiphop: "#9a6fe8", jazz: "#e0883a", latin: "#ef5d4e", metal: "#8d929c",
  pop: "#f082c0", reggae: "#3fb56b", rnb: "#b067c9", rock: "#d8504f", world: "#5fa8d8",
};
const MOODS = { happy: "#e8b53a", tense: "#e0554a", sad: "#5a7fd6", calm: "#45b08c" };
export const OTHER = "#8a8f98";

export function genreColour(name) {
  if (!name) return OTHER;
  const key = name.toLowerCase().replace(/[^a-z]/g, "");
  return GENRES[key] || hslToHex(hash(key) % 360, 48, 56);
}

export const moodColour = (name) => MOODS[(name || "").toLowerCase()] || OTHER;

// Return the colour of a number between the first and the last, blue to amber: of old and new, of few and many.
export function scaleColour(value, [first, last]) {
  if (!value) return OTHER;
  const share = last > first ? (value - first) / (last - first) : 1;
  return hslToHex(225 - 190 * Math.min(1, Math.max(0, share)), 62, 58);
}

// Return a whole number of 32 bits that depends on a text (FNV-1a).
export function hash(text) {
  let value = 2166136261;
  for (const letter of String(text)) value = Math.imul(value ^ letter.codePointAt(0), 16777619);
  return value >>> 0;
}

export function hslToHex(hue, saturation, lightness) {
  const s = saturation / 100;
  const l = lightness / 100;
  const part = (n) => {
    const k = (n + hue / 30) % 12;
    const value = l - s * Math.min(l, 1 - l) * Math.max(-1, Math.min(k - 3, 9 - k, 1));
    return Math.round(255 * value).toString(16).padStart(2, "0");
  };
  return `#${part(0)}${part(8)}${part(4)}`;
}

// Return red, green and blue, 0 to 255, of "#rrggbb".
export const rgb = (hex) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));

// Return a colour of the theme, for canvases.
export const themeColour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
