// The views of the page: a bar at the side, or at the bottom of a narrow window.
import { html, useEffect, useRef } from "./html.js";
import { Icon } from "./parts/icons.js";
import { link, place } from "./router.js";
import { useStore } from "./store.js";
import { texts } from "./texts.js";

const MAIN = ["home", "albums", "artists", "tracks", "playlists", "map", "queue"];
const MORE = ["duplicates", "indexing", "settings"];
const PARENTS = { album: "albums", artist: "artists", track: "tracks", playlist: "playlists", search: "home", upload: "home" };

const SHEET = ["artists", "playlists", ...MORE]; // behind "More" on a phone, which has room for five views

export function Nav() {
  const view = useStore(place, (value) => value.view);
  const sheet = useRef(null);
  const current = PARENTS[view] || view;
  useEffect(() => {
    sheet.current.open = false;
  }, [view]);
  const item = (name) => html`<li key=${name} class=${`nav-${name}`}><a href=${name === "home" ? "#/" : link(name)}
    aria-current=${name === current ? "page" : null}><${Icon} name=${name} /><span>${texts.nav[name]}</span></a></li>`;
  return html`<nav class="nav" aria-label=${texts.nav.label}>
    <a class="brand" href="#/" aria-label=${`${texts.product}: ${texts.nav.home}`}><${Mark} /><span>${texts.product}</span></a>
    <ul class="nav-main">${MAIN.map(item)}</ul><ul class="nav-more">${MORE.map(item)}</ul>
    <details class="nav-sheet" ref=${sheet}><summary data-current=${SHEET.includes(current)}><${Icon} name="more" />
      <span>${texts.nav.more}</span></summary><ul>${SHEET.map(item)}</ul></details></nav>`;
}

const Mark = () => html`<svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
  <g stroke="currentColor" stroke-width="3.2" stroke-linecap="round" fill="none">
  <path d="M6 14v4M12.5 8v16M19 12v8M25.5 5v22" /></g></svg>`;
