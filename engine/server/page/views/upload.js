// A dropped file: its sound, moments, genre, mood and neighbours in the library.
import { get } from "../api.js";
import { files } from "../drop.js";
import { html, useEffect, useRef } from "../html.js";
import { Profile } from "../parts/profile.js";
import { Failed, Loading } from "../parts/states.js";
import { Attention, Waveform } from "../parts/waveform.js";
import * as player from "../player.js";
import { useLoad } from "../store.js";
import { texts } from "../texts.js";
import { Moments, Neighbours } from "./track.js";

const NEIGHBOURS = 24;
const PEAKS = 800;

export function UploadView({ id }) {
  const answer = useLoad(async (signal) => {
    const near = await get(`uploads/${id}/similar`, { k: NEIGHBOURS }, signal);
    return { near, attention: await get(`uploads/${id}/explain`, {}, signal) };
  }, [id]);
  if (answer.error) return html`<h1 class="hidden">${texts.drop.gone}</h1>
    <${Failed} error=${answer.error.status === 404
      ? { message: texts.drop.gone, hint: texts.drop.goneHint } : answer.error} />`;
  if (!answer.data) return html`<div class="waiting" role="status"><h1>${texts.drop.listening}</h1></div>
    <${Loading} rows=${5} />`;
  const { near, attention } = answer.data;
  return html`<div class="view"><header class="hero"><div><h1 dir="auto">${near.path}</h1>
      <p class="muted">${texts.drop.subtitle}</p></div></header>
    <${Sound} file=${files.get(id)} attention=${attention} name=${near.path} />
    <${Profile} answer=${near} /><${Neighbours} track=${null} matches=${near.matches} /></div>`;
}

function Sound({ file, attention, name }) {
  const audio = useRef(null);
  const peaks = useLoad(async () => (file ? readPeaks(file) : null), [file]);
  useEffect(() => {
    if (!file) return;
    audio.current = new Audio(URL.createObjectURL(file));
    return () => {
      audio.current.pause();
      URL.revokeObjectURL(audio.current.src);
    };
  }, [file]);
  const seek = (seconds) => {
    if (!audio.current) return;
    player.pause();
    audio.current.currentTime = seconds;
    audio.current.play().catch(() => {});
  };
  const position = () => (audio.current?.currentTime ? audio.current.currentTime : null);
  return html`<section class="sound">
    <${Waveform} peaks=${peaks.data} duration=${attention.duration} position=${position} seek=${seek} name=${name} />
    <${Attention} windows=${attention.windows} moments=${attention.moments} duration=${attention.duration} play=${seek} />
    <${Moments} moments=${attention.moments} seek=${seek} /></section>`;
}

// Decode a file in the browser and return its peaks, 0 to 255.
async function readPeaks(file) {
  const context = new OfflineAudioContext(1, 1, 8000);
  const sound = await context.decodeAudioData(await file.arrayBuffer());
  const samples = sound.getChannelData(0);
  const step = Math.max(1, Math.floor(samples.length / PEAKS));
  return Array.from({ length: Math.min(PEAKS, Math.floor(samples.length / step)) }, (_, part) => {
    let loudest = 0;
    for (let at = part * step; at < (part + 1) * step; at += 4) loudest = Math.max(loudest, Math.abs(samples[at]));
    return Math.round(255 * Math.min(1, loudest));
  });
}
