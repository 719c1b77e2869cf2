// Keys for everything, and the dialog that lists them.
import { html, useEffect, useRef } from "./html.js";
import { rate, toggleStar } from "./favourites.js";
import { next, previous, seekBy, toggle, toggleMute, currentTrack } from "./player.js";
import { lessLike, like, radioFromTrack } from "./radio.js";
import { go, link, place } from "./router.js";
import { createStore, useStore } from "./store.js";
import { onRemoteKey, television } from "./television.js";
import { texts } from "./texts.js";
import { titleOf } from "./parts/format.js";
import { Icon } from "./parts/icons.js";

const SEEK = 5; // seconds

export const keysShown = createStore({ open: false });

const ACTIONS = {
  "/": () => document.querySelector("#search").focus(),
  "?": () => keysShown.set({ open: true }),
  n: next,
  p: previous,
  m: toggleMute,
  l: () => (currentTrack() ? like() : withShown(toggleStar)),
  x: () => lessLike(),
  r: () => currentTrack() && radioFromTrack(currentTrack()),
  h: () => go("#/"),
  a: () => go(link("albums")),
  y: () => go(link("playlists")),
  g: () => go(link("map")),
  q: () => go(link("queue")),
  t: () => currentTrack() && go(link("track", currentTrack().track_id)),
};

for (const rating of [0, 1, 2, 3, 4, 5]) ACTIONS[rating] = () => withShown((item, name) => rate(item, rating, name));

// Call `action` with the track that a view shows or, elsewhere, the playing one.
function withShown(action) {
  const { view, id } = place.get();
  const shown = view === "track" ? document.querySelector("main h1")?.textContent : null;
  if (shown) action(id, shown);
  else if (currentTrack()) action(String(currentTrack().track_id), titleOf(currentTrack()));
}

// Follow keys anywhere but in fields; a button that has the focus takes the space bar itself.
export function installKeys() {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = event.target;
    if (television && onRemoteKey(event)) {
      event.preventDefault();
      return;
    }
    if (target.closest("input, textarea, select, dialog[open]")) return;
    if (event.key === " ") {
      if (target.closest("button, a, summary")) return;
      toggle();
    } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      if (target.closest("[role=slider], [role=application]")) return;
      seekBy(event.key === "ArrowLeft" ? -SEEK : SEEK);
    } else if (ACTIONS[event.key.toLowerCase()]) {
      ACTIONS[event.key.toLowerCase()]();
    } else {
      return;
    }
    event.preventDefault();
  });
}

export function KeysDialog() {
  const open = useStore(keysShown, (value) => value.open);
  const dialog = useRef(null);
  useEffect(() => {
    if (open) dialog.current.showModal();
  }, [open]);
  const close = () => keysShown.set({ open: false });
  if (!open) return null;
  return html`<dialog ref=${dialog} class="dialog" aria-labelledby="keys-heading" onClose=${close}>
    <header><h2 id="keys-heading">${texts.keys.heading}</h2>
      <button class="icon-button" aria-label=${texts.close} onClick=${() => dialog.current.close()}><${Icon} name="close" />
      </button></header>
    <div class="key-groups">${texts.keys.groups.map(([name, keys]) => html`<section key=${name}><h3>${name}</h3>
      <dl>${keys.map(([key, does]) => html`<div><dt><kbd>${key}</kbd></dt><dd>${does}</dd></div>`)}</dl></section>`)}</div>
  </dialog>`;
}
