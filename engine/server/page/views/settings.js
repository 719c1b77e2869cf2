// Settings of this browser, and facts about the server and the login.
import { get, remove } from "../api.js";
import { html, useState } from "../html.js";
import { count } from "../parts/format.js";
import { Access, Users } from "../parts/users.js";
import { keysShown } from "../keys.js";
import { player, setCrossfade } from "../player.js";
import { link } from "../router.js";
import { session } from "../session.js";
import { readSetting, useLoad, useStore, writeSetting } from "../store.js";
import { texts } from "../texts.js";

const LONGEST_CROSSFADE = 12; // seconds

export function SettingsView() {
  const user = useStore(session, (value) => value.user);
  return html`<div class="view"><h1>${texts.settings.heading}</h1><div class="settings">
    <${Look} /><${Sound} /><${Library} /><${Account} />
    ${user.accounts && html`<${Access} />`}${user.accounts && user.admin && html`<${Users} />`}</div></div>`;
}

function Look() {
  const [theme, setTheme] = useState(readSetting("theme", "auto"));
  const choose = (value) => {
    writeSetting("theme", value);
    setTheme(value);
    if (value === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = value;
  };
  return html`<section class="panel"><h2>${texts.settings.look}</h2><fieldset class="segments">
    <legend>${texts.settings.theme}</legend>${Object.entries(texts.settings.themes).map(([value, name]) => html`
      <label key=${value}><input type="radio" name="theme" value=${value} checked=${theme === value}
        onChange=${() => choose(value)} /><span>${name}</span></label>`)}</fieldset>
    <button class="button quiet" onClick=${() => keysShown.set({ open: true })}>${texts.settings.keys}</button></section>`;
}

function Sound() {
  const crossfade = useStore(player, (value) => value.crossfade);
  return html`<section class="panel"><h2>${texts.settings.sound}</h2><label class="slider-label">
    <span>${texts.settings.crossfade}</span><output>${texts.settings.seconds(crossfade)}</output>
    <input type="range" min="0" max=${LONGEST_CROSSFADE} step="1" value=${crossfade}
      aria-valuetext=${texts.settings.seconds(crossfade)} style=${{ "--filled": `${(100 * crossfade) / LONGEST_CROSSFADE}%` }}
      onInput=${(event) => setCrossfade(Number(event.target.value))} /></label></section>`;
}

function Library() {
  const facts = useLoad(async (signal) => {
    const [stats, folders] = await Promise.all([get("stats", {}, signal), get("folders", {}, signal)]);
    return { ...stats, ...folders };
  }, []);
  const { tracks = 0, encoders = [], folders = [] } = facts.data || {};
  return html`<section class="panel"><h2>${texts.settings.library}</h2>
    <p>${texts.tracks(tracks)}</p>
    <h3>${texts.settings.folders}</h3>${folders.length
      ? html`<ul class="plain">${folders.map((path) => html`<li key=${path} dir="auto"><code>${path}</code></li>`)}</ul>`
      : html`<p class="muted">${texts.settings.noFolders}</p>`}
    <h3>${texts.settings.encoder}</h3><ul class="plain">${encoders.map((each) => html`<li key=${each.encoder + each.coverage}>
      <code>${each.encoder}</code> <span class="muted">${each.coverage}, ${count(each.tracks)}</span></li>`)}</ul>
    <a href=${link("indexing")}>${texts.nav.indexing}</a></section>`;
}

function Account() {
  const user = useStore(session, (value) => value.user);
  const logOut = async () => {
    await remove("session").catch(() => {});
    session.set({ user: null, needed: true });
  };
  return html`<section class="panel"><h2>${texts.settings.account}</h2>${user.accounts
    ? html`<p>${texts.settings.user(user.name, user.admin)}</p>
      <button class="button quiet" onClick=${logOut}>${texts.settings.logOut}</button>`
    : html`<p class="muted">${texts.settings.local}</p>`}</section>`;
}
