// The heart of an item (a star for the server and its players), and its rating as five stars: one stop for the tab key, arrows choose, a click on the rating clears.
import { favourites, rate, toggleStar } from "../favourites.js";
import { html, useState } from "../html.js";
import { useStore } from "../store.js";
import { texts } from "../texts.js";
import { Icon } from "./icons.js";

const STEPS = [1, 2, 3, 4, 5];
let instances = 0;

export function StarButton({ item, name, label = false, kind = "" }) {
  const on = useStore(favourites, (value) => Boolean(value.stars[item]));
  const text = texts.favourites.star(name);
  return html`<button class=${label ? "button quiet star" : `icon-button star ${kind}`} aria-pressed=${on}
    aria-label=${text} title=${label ? null : texts.favourites.starTitle} onClick=${() => toggleStar(item, name)}>
    <${Icon} name="like" filled=${on} />${label && (on ? texts.favourites.isStarred : texts.favourites.starTitle)}</button>`;
}

export function Rating({ item, name, kind = "" }) {
  const rating = useStore(favourites, (value) => value.ratings[item] || 0);
  const [group] = useState(() => `rating-${++instances}`);
  return html`<span class=${`rating ${kind}`} role="radiogroup" data-rated=${rating > 0}
    aria-label=${texts.favourites.rating(name)}>${STEPS.map((step) => html`
      <label key=${step} data-on=${step <= rating}><input type="radio" name=${group} value=${step} checked=${step === rating}
        aria-label=${texts.favourites.stars(step)} onClick=${() => step === rating && rate(item, 0, name)}
        onChange=${() => rate(item, step, name)} /><${Icon} name="star" filled=${step <= rating} /></label>`)}</span>`;
}
