// The form that a server with accounts shows first.
import { post } from "../api.js";
import { html, useState } from "../html.js";
import { texts } from "../texts.js";

export function LoginView({ onDone }) {
  const [error, setError] = useState(null);
  const submit = async (event) => {
    event.preventDefault();
    const fields = new FormData(event.target);
    try {
      await post("session", { name: fields.get("name"), password: fields.get("password") });
      onDone();
    } catch (problem) {
      setError(problem);
    }
  };
  return html`<main class="alone"><form class="panel login" onSubmit=${submit}>
    <h1>${texts.login.heading}</h1>
    <label>${texts.login.name}<input name="name" autocomplete="username" required maxlength="100" autofocus /></label>
    <label>${texts.login.password}
      <input name="password" type="password" autocomplete="current-password" required maxlength="1000" /></label>
    ${error && html`<p class="problem" role="alert">${error.message}</p>`}
    <button class="button" type="submit">${texts.login.button}</button>
    <p class="hint">${texts.login.hint}</p></form></main>`;
}
