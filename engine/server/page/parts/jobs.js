// Indexing runs: followed live, with progress and a report.
import { get, post, remove, url } from "../api.js";
import { html, useEffect, useState } from "../html.js";
import { sayError } from "../notices.js";
import { texts } from "../texts.js";
import { count, fileName, moment } from "./format.js";

const RUNNING = new Set(["waiting", "running"]);

// Return { jobs, start(body), cancel(id) }; jobs that run are followed by server-sent events.
export function useJobs(onEnd = () => {}) {
  const [jobs, setJobs] = useState(null);
  const [error, setError] = useState(null);
  const replace = (job) => setJobs((list) => {
    const known = list || [];
    return known.some((each) => each.id === job.id) ? known.map((each) => (each.id === job.id ? job : each)) : [job, ...known];
  });
  useEffect(() => {
    get("jobs").then((answer) => setJobs(answer.jobs), setError);
  }, []);
  const followed = (jobs || []).filter((job) => RUNNING.has(job.state)).map((job) => job.id).join();
  useEffect(() => {
    const sources = followed.split(",").filter(Boolean).map((id) => {
      const source = new EventSource(url(`jobs/${id}/events`));
      source.addEventListener("job", (event) => {
        const job = JSON.parse(event.data);
        replace(job);
        if (RUNNING.has(job.state)) return;
        source.close();
        onEnd(job);
      });
      return source;
    });
    return () => sources.forEach((source) => source.close());
  }, [followed]);
  const start = async (body) => {
    try {
      replace(await post("jobs", body));
      return true;
    } catch (problem) {
      sayError(problem);
      return false;
    }
  };
  return { jobs, error, start, cancel: (id) => remove(`jobs/${id}`).then(replace, sayError) };
}

export function JobCard({ job, cancel }) {
  const { done = 0, total = 0, path = "" } = job.progress || {};
  const parts = Object.entries(job.report || {}).filter(([name, value]) => texts.indexing.report[name] && value > 0);
  return html`<article class="panel job" data-state=${job.state}><header><h3 dir="auto">${job.settings.paths.join(", ")}</h3>
      <span class="badge" data-state=${job.state}>${texts.indexing.states[job.state]}</span></header>
    ${job.state === "running" && html`<${Progress} share=${total ? done / total : null} />
      <p class="hint" role="status">${total ? texts.indexing.progress(done, total) : texts.loading}
        <span class="job-path" dir="auto">${fileName(path || "")}</span></p>`}
    ${parts.length > 0 && html`<p class="job-report">${parts.map(([name, value]) =>
      html`<span key=${name}><b>${count(value)}</b> ${texts.indexing.report[name]}</span>`)}</p>`}
    ${job.error && html`<p class="problem" role="alert">${job.error.message}. ${job.error.hint}</p>`}
    <footer class="hint">${moment(job.created_at)}
      ${cancel && RUNNING.has(job.state) && html`<button class="button quiet small" onClick=${() => cancel(job.id)}>
        ${texts.indexing.stop}</button>`}</footer></article>`;
}

export const Progress = ({ share }) => html`<progress max="1" value=${share} aria-label=${texts.indexing.states.running}>
</progress>`;
