// The states of a view that has nothing to show: loading, empty, failed.
import { html } from "../html.js";
import { texts } from "../texts.js";
import { Icon } from "./icons.js";

export const Loading = ({ rows = 6 }) =>
  html`<div class="skeleton" role="status" aria-label=${texts.loading}>
    ${Array.from({ length: rows }, () => html`<div class="skeleton-row"></div>`)}</div>`;

export const Empty = ({ icon = "tracks", title, hint, children }) =>
  html`<div class="empty"><span class="empty-icon"><${Icon} name=${icon} /></span>
    <h2>${title}</h2><p>${hint}</p>${children}</div>`;

export const Failed = ({ error, retry, level = "h2" }) =>
  html`<div class="empty" role="alert"><span class="empty-icon"><${Icon} name="close" /></span>
    <${level}>${error.message || texts.errors.heading}<//><p>${error.hint}</p>
    ${retry && html`<button class="button" onClick=${retry}>${texts.retry}</button>`}</div>`;

// Show the answer of useLoad: its states, or what `show` makes of the data; `level` is "h1" where it is the whole view.
export function Answer({ of, show, rows, level }) {
  if (of.error) return html`<${Failed} error=${of.error} retry=${of.reload} level=${level} />`;
  if (!of.data) return html`<${Loading} rows=${rows} />`;
  return show(of.data);
}
