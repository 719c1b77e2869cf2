// The first visit of an empty library: name a folder, and play while the rest is indexed.
import { get } from "../api.js";
import { html, useEffect, useState } from "../html.js";
import { Icon } from "../parts/icons.js";
import { JobCard, useJobs } from "../parts/jobs.js";
import { playTracks } from "../player.js";
import { session } from "../session.js";
import { useStore } from "../store.js";
import { texts } from "../texts.js";

const LOOK_MS = 1500; // between two looks for the first tracks
const ENOUGH = 3; // tracks at which the library is shown

export function WelcomeView({ onReady }) {
  const admin = useStore(session, (value) => value.user?.admin);
  const [ready, setReady] = useState([]);
  const { jobs, start } = useJobs((job) => job.state === "done" && look());
  const look = async () => {
    const { tracks, total } = await get("tracks", { limit: 20 }).catch(() => ({ tracks: [], total: 0 }));
    if (total) setReady(tracks);
  };
  const job = jobs?.[0];
  const running = job && (job.state === "running" || job.state === "waiting");
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(look, LOOK_MS);
    return () => clearInterval(timer);
  }, [running]);
  useEffect(() => {
    if (ready.length >= ENOUGH && !running) onReady();
  }, [ready.length, running]);
  const submit = (event) => {
    event.preventDefault();
    start({ paths: [new FormData(event.target).get("path").trim()] });
  };
  return html`<div class="welcome"><span class="welcome-mark"><${Icon} name="near" /></span>
    <h1>${texts.welcome.heading}</h1><p class="lead">${texts.welcome.text}</p>
    ${admin && !running && html`<form class="welcome-form" onSubmit=${submit}>
      <label class="hidden" for="folder">${texts.indexing.folder}</label>
      <input id="folder" name="path" required placeholder=${texts.indexing.folderHint} dir="auto" maxlength="4096" />
      <button class="button" type="submit">${texts.indexing.start}</button></form>`}
    ${!admin && html`<p class="muted">${texts.indexing.onlyAdmin}</p>`}
    ${job && html`<${JobCard} job=${job} />`}
    ${ready.length > 0 && html`<button class="button large" onClick=${() => {
      playTracks(ready);
      onReady();
    }}><${Icon} name="play" />${texts.welcome.first}</button>`}</div>`;
}
