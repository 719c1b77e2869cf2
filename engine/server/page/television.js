// A television: arrow keys move the focus in their direction, Back goes back, media keys play.
import { toggle, next, previous } from "./player.js";

export const television = "tv" in document.documentElement.dataset;

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const KEYS = { MediaPlayPause: toggle, MediaTrackNext: next, MediaTrackPrevious: previous, GoBack: () => history.back(), BrowserBack: () => history.back() };
const FOCUSABLE = "a[href], button:not(:disabled), input, select, summary, [tabindex='0']";
const ASIDE = 3; // how much more a pixel to the side costs than one ahead
const ASIDE_OF_LINE = 30; // to the left and right: who moves along a line stays in it

// Handle a key of a remote control; returns whether it was one.
export function onRemoteKey({ key, target }) {
  if (KEYS[key]) KEYS[key]();
  else if (key === "Escape" && target.closest("[role=application]")) document.querySelector(".nav a[aria-current]").focus();
  else if (STEPS[key] && !own(key, target)) step(...STEPS[key]);
  else return false;
  return true;
}

// Whether an element needs an arrow key itself: fields and sliders those to the sides, lists of choices those up and down.
function own(key, target) {
  if (target.matches("select, [role=application]")) return true;
  return target.matches("input:not([type=checkbox], [type=file])") && (key === "ArrowLeft" || key === "ArrowRight");
}

function step(x, y) {
  const from = document.activeElement;
  const nearby = nearest(from, candidates(from), x, y);
  if (!nearby) return;
  const entered = y && !from.closest(".row") && nearby.closest(".row");
  const found = entered ? entered.querySelector(".row-main") : nearby; // a list is entered at its titles
  found.focus();
  found.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function candidates(from) {
  const within = document.querySelector("dialog[open]") || document;
  return [...within.querySelectorAll(FOCUSABLE)].filter((element) =>
    element !== from && element.tabIndex >= 0 && element.checkVisibility({ opacityProperty: false, visibilityProperty: true })
    && (element.type !== "radio" || element.checked || element.value === "1"));
}

// Return the nearest element in a direction; without a focus, the first of the main part.
function nearest(from, elements, x, y) {
  if (!from || from === document.body || from.id === "main") return elements.find((each) => each.closest("main")) || elements[0];
  const here = from.getBoundingClientRect();
  let [best, least] = [null, Infinity];
  for (const element of elements) {
    const there = element.getBoundingClientRect();
    const ahead = x ? x * (middle(there, x) - middle(here, x)) : y * (middle(there, 0) - middle(here, 0));
    if (ahead <= 1 || !there.width) continue;
    const aside = x ? gap(here.top, here.bottom, there.top, there.bottom) : gap(here.left, here.right, there.left, there.right);
    const cost = ahead + (x ? ASIDE_OF_LINE : ASIDE) * aside;
    if (cost < least) [best, least] = [element, cost];
  }
  return best;
}

const middle = (box, x) => (x ? (box.left + box.right) / 2 : (box.top + box.bottom) / 2);
const gap = (a, b, c, d) => Math.max(0, c - b, a - d);
