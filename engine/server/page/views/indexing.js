// Indexing: start runs, watch them live, see which files failed and why.
import { get } from "../api.js";
import { html } from "../html.js";
import { fileName } from "../parts/format.js";
import { JobCard, useJobs } from "../parts/jobs.js";
import { Answer, Failed, Loading } from "../parts/states.js";
import { session } from "../session.js";
import { useLoad, useStore } from "../store.js";
import { texts } from "../texts.js";

const FAILURES = 200; // shown

export function IndexingView() {
  const stats = useLoad((signal) => get("stats", {}, signal), []);
  const { jobs, error, start, cancel } = useJobs(stats.reload);
  const admin = useStore(session, (value) => value.user?.admin);
  const submit = (event) => {
    event.preventDefault();
    const fields = new FormData(event.target);
    const path = fields.get("path").trim();
    start({ paths: path ? [path] : [], prune: fields.has("prune"), retry: fields.has("retry") });
  };
  return html`<div class="view"><h1>${texts.indexing.heading}</h1>
    ${admin ? html`<form class="panel index-form" onSubmit=${submit}>
      <label>${texts.indexing.folder}<input name="path" placeholder=${texts.indexing.folderHint} dir="auto" maxlength="4096" /></label>
      <label class="check"><input type="checkbox" name="prune" />${texts.indexing.prune}</label>
      <label class="check"><input type="checkbox" name="retry" />${texts.indexing.retry}</label>
      <div class="buttons"><button class="button" type="submit">${texts.indexing.start}</button>
        <button class="button quiet" type="button" title=${texts.indexing.againHint}
          onClick=${() => start({ paths: [] })}>${texts.indexing.again}</button></div></form>`
      : html`<p class="muted">${texts.indexing.onlyAdmin}</p>`}
    <h2>${texts.indexing.jobs}</h2>
    ${error ? html`<${Failed} error=${error} />` : jobs === null ? html`<${Loading} rows=${2} />`
      : jobs.length ? html`<div class="jobs">${jobs.map((job) => html`
        <${JobCard} key=${job.id} job=${job} cancel=${admin && cancel} />`)}</div>`
        : html`<p class="muted">${texts.indexing.noJobs}</p>`}
    <h2>${texts.indexing.failures}</h2>
    <${Answer} of=${stats} rows=${2} show=${({ failures = [] }) => (failures.length
      ? html`<ul class="failures">${failures.slice(0, FAILURES).map(({ path, reason }) => html`<li key=${path}>
          <b dir="auto">${fileName(path)}</b><span class="problem">${reason}</span><span class="muted" dir="auto">${path}</span>
        </li>`)}</ul>`
      : html`<p class="muted">${texts.indexing.noFailures}</p>`)} /></div>`;
}
