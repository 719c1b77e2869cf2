// Access in the settings: the own keys, and for an administrator all users with theirs.
import { get, post, put, remove } from "../api.js";
import { html, useState } from "../html.js";
import { say, sayError } from "../notices.js";
import { session } from "../session.js";
import { useLoad, useStore } from "../store.js";
import { texts } from "../texts.js";
import { moment } from "./format.js";
import { Icon } from "./icons.js";
import { Answer } from "./states.js";

const SHORTEST_PASSWORD = 8;
const keysOf = (name) => `users/${encodeURIComponent(name)}/keys`;

// Run a request and show why it failed; returns its answer or undefined.
async function attempt(request, done) {
  try {
    const answer = await request;
    if (done) say(done);
    return answer ?? true;
  } catch (error) {
    sayError(error);
  }
}

export function Keys({ name }) {
  const found = useLoad((signal) => get(keysOf(name), {}, signal), [name]);
  const [made, setMade] = useState(null);
  const make = async (event) => {
    event.preventDefault();
    const form = event.target;
    const answer = await attempt(post(keysOf(name), { label: form.elements.label.value }));
    if (!answer) return;
    setMade(answer.key);
    form.reset();
    found.reload();
  };
  const revoke = async (key) => {
    if (await attempt(remove(`${keysOf(name)}/${key.key_id}`), texts.users.revoked(key.label))) found.reload();
  };
  return html`<div class="keys"><${Answer} of=${found} rows=${1} show=${({ keys }) => keys.length
      ? html`<ul class="plain key-list">${keys.map((key) => html`<li key=${key.key_id}><span dir="auto">${key.label || texts.users.unnamed}</span>
          <span class="muted">${moment(key.created_at)}</span>
          <button class="button small quiet" aria-label=${texts.users.revokeLabel(key.label || texts.users.unnamed)}
            onClick=${() => revoke(key)}>${texts.users.revoke}</button></li>`)}</ul>`
      : html`<p class="muted">${texts.users.noKeys}</p>`} />
    ${made && html`<${Secret} text=${made} hint=${texts.users.once} />`}
    <form class="inline-form" onSubmit=${make}><label><span>${texts.users.label}</span>
      <input name="label" required maxlength="100" autocomplete="off" placeholder=${texts.users.labelHint} /></label>
      <button class="button quiet">${texts.users.makeKey}</button></form></div>`;
}

export function Access() {
  const user = useStore(session, (value) => value.user);
  const [shown, setShown] = useState(null);
  const show = async () => {
    const answer = await attempt(post(`users/${encodeURIComponent(user.name)}/application-password`));
    if (answer) setShown(answer.password);
  };
  return html`<section class="panel"><h2>${texts.users.access}</h2><p class="muted">${texts.users.accessHint}</p>
    <${Keys} name=${user.name} />
    ${shown ? html`<${Secret} text=${shown} hint=${texts.users.applicationHint} />`
      : html`<button class="button quiet" onClick=${show}>${texts.users.application}</button>`}
    <h3>${texts.users.changePassword}</h3><${NewPassword} name=${user.name} /></section>`;
}

export function Users() {
  const found = useLoad((signal) => get("users", {}, signal), []);
  const me = useStore(session, (value) => value.user).name;
  const drop = async (name) => {
    if (await attempt(remove(`users/${encodeURIComponent(name)}`), texts.users.removed(name))) found.reload();
  };
  return html`<section class="panel"><h2>${texts.users.heading}</h2>
    <${Answer} of=${found} rows=${2} show=${({ users }) => html`<ul class="plain users">${users.map((each) => html`
      <li key=${each.name}><details><summary><${Icon} name="user" /><span dir="auto">${each.name}</span>
          ${each.admin && html`<span class="badge">${texts.users.admin}</span>`}</summary>
        ${each.name !== me && html`<${Keys} name=${each.name} /><h3>${texts.users.changePassword}</h3><${NewPassword} name=${each.name} />
          <${Sure} name=${each.name} drop=${() => drop(each.name)} />`}
        ${each.name === me && html`<p class="muted">${texts.users.you}</p>`}</details></li>`)}</ul>`} />
    <h3>${texts.users.add}</h3><${NewUser} done=${found.reload} /></section>`;
}

function Sure({ name, drop }) {
  const [asked, setAsked] = useState(false);
  return asked
    ? html`<p>${texts.users.sure(name)}</p><div class="buttons"><button class="button small" onClick=${drop}>${texts.users.remove}</button>
        <button class="button small quiet" onClick=${() => setAsked(false)}>${texts.cancel}</button></div>`
    : html`<button class="button small quiet" onClick=${() => setAsked(true)}>${texts.users.removeLabel(name)}</button>`;
}

function NewUser({ done }) {
  const add = async (event) => {
    event.preventDefault();
    const form = event.target;
    const { name, password, admin } = form.elements;
    const made = { name: name.value.trim(), password: password.value, admin: admin.checked };
    if (!(await attempt(post("users", made), texts.users.added(made.name)))) return;
    form.reset();
    done();
  };
  return html`<form class="stacked-form" onSubmit=${add}>
    <label><span>${texts.login.name}</span><input name="name" required maxlength="64" autocomplete="off" /></label>
    <label><span>${texts.login.password}</span><input name="password" type="password" required minlength=${SHORTEST_PASSWORD}
      autocomplete="new-password" /></label>
    <label class="check"><input type="checkbox" name="admin" />${texts.users.asAdmin}</label>
    <button class="button quiet">${texts.users.add}</button></form>`;
}

function NewPassword({ name }) {
  const change = async (event) => {
    event.preventDefault();
    const form = event.target;
    const body = { password: form.elements.password.value };
    if (await attempt(put(`users/${encodeURIComponent(name)}/password`, body), texts.users.passwordChanged)) form.reset();
  };
  return html`<form class="inline-form" onSubmit=${change}><label><span>${texts.users.newPassword}</span>
    <input name="password" type="password" required minlength=${SHORTEST_PASSWORD} autocomplete="new-password" /></label>
    <button class="button quiet">${texts.users.change}</button></form>`;
}

// A secret that is shown once, to be copied.
function Secret({ text, hint }) {
  const copy = () => attempt(navigator.clipboard.writeText(text), texts.users.copied);
  return html`<div class="secret" role="status"><p>${hint}</p><code>${text}</code>
    ${navigator.clipboard && html`<button class="button small quiet" onClick=${copy}>${texts.users.copy}</button>`}</div>`;
}
