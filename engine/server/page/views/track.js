// A track: its sound, the encoder's attention, its genres and moods, and its neighbours with reasons.
import { get, getOnce } from "../api.js";
import { html, useState } from "../html.js";
import { Cover } from "../parts/cover.js";
import { Rating, StarButton } from "../parts/favourite.js";
import { artistOf, clock, percent, titleOf } from "../parts/format.js";
import { Icon } from "../parts/icons.js";
import { Share, TrackRow } from "../parts/rows.js";
import { Profile } from "../parts/profile.js";
import { Answer, Empty } from "../parts/states.js";
import { Attention, Waveform } from "../parts/waveform.js";
import { WhyPanel } from "../parts/why.js";
import * as player from "../player.js";
import { say } from "../notices.js";
import { addToPlaylist } from "../playlists.js";
import { complete, makePath, radioFromTrack } from "../radio.js";
import { link } from "../router.js";
import { useLoad, useStore } from "../store.js";
import { texts } from "../texts.js";

const NEIGHBOURS = 24;

export function TrackView({ id }) {
  const track = useLoad((signal) => get(`tracks/${encodeURIComponent(id)}`, {}, signal), [id]);
  return html`<${Answer} of=${track} level="h1" show=${(data) => html`<${TrackPage} track=${data} />`} />`;
}

function TrackPage({ track }) {
  const id = track.track_id;
  const sound = useLoad(() => getOnce(`tracks/${id}/waveform`), [id]);
  const attention = useLoad(() => getOnce(`tracks/${id}/explain`), [id]);
  const near = useLoad((signal) => get(`tracks/${id}/similar`, { k: NEIGHBOURS }, signal), [id]);
  const features = useLoad((signal) => get(`tracks/${id}/features`, {}, signal), [id]);
  return html`<div class="view"><${Hero} track=${track} features=${features.data} />
    <${Sound} track=${track} peaks=${sound.data?.peaks} failed=${sound.error} attention=${attention.data} />
    <${Answer} of=${near} show=${(answer) => html`<${Profile} answer=${answer} />
      <${Neighbours} track=${track} matches=${answer.matches} />`} /></div>`;
}

function Hero({ track, features }) {
  const current = useStore(player.player, (state) => player.currentTrack(state));
  const playing = useStore(player.player, (state) => state.playing && player.currentTrack(state)?.track_id === track.track_id);
  const facts = [track.year, track.genre, clock(track.seconds), features?.tempo && texts.track.tempo(features.tempo),
    features?.key, features?.loudness && texts.track.loudness(features.loudness)];
  const play = () => (current?.track_id === track.track_id ? player.toggle() : player.playTracks([track]));
  return html`<header class="hero with-cover">
    <${Cover} track=${track.track_id} seed=${track.album_id || track.track_id} size=${512} />
    <div><h1 dir="auto">${titleOf(track)}</h1>
      <p class="hero-artist"><a dir="auto" href=${link("artist", track.artist_ids[0] || "")}>${artistOf(track)}</a>
        ${track.album && html` · <a dir="auto" href=${link("album", track.album_id)}>${track.album}</a>`}</p>
      <p class="muted">${facts.filter(Boolean).join(" · ")}</p>
      <${Rating} item=${String(track.track_id)} name=${titleOf(track)} /></div>
      <div class="buttons">
        <button class="button" onClick=${play}><${Icon} name=${playing ? "pause" : "play"} />
          ${playing ? texts.track.pauseButton : texts.track.playButton}</button>
        <button class="button quiet" onClick=${() => radioFromTrack(track)}><${Icon} name="radio" />
          ${texts.track.radioButton}</button>
        <button class="button quiet" onClick=${() => {
          player.enqueue([track]);
          say(texts.queue.added(titleOf(track)));
        }}><${Icon} name="add" />${texts.track.queueButton}</button>
        <${StarButton} item=${String(track.track_id)} name=${titleOf(track)} label=${true} />
        <button class="button quiet" onClick=${() => addToPlaylist([track])}><${Icon} name="playlists" />
          ${texts.playlists.addButton}</button>
        ${current && current.track_id !== track.track_id && html`
          <button class="button quiet" onClick=${() => makePath(current, track)}><${Icon} name="path" />
            ${texts.track.pathButton}</button>`}</div></header>`;
}

function Sound({ track, peaks, failed, attention }) {
  const position = () => (player.currentTrack()?.track_id === track.track_id ? player.positionNow() : null);
  const seek = (seconds) => player.playAt(track, seconds);
  return html`<section class="sound">
    <${Waveform} peaks=${peaks} duration=${track.seconds} position=${position} seek=${seek} name=${titleOf(track)} />
    ${failed && html`<p class="muted">${texts.track.unplayable}</p>`}
    ${attention && html`<${Attention} windows=${attention.windows} moments=${attention.moments} duration=${track.seconds}
      play=${seek} />
      <${Moments} moments=${attention.moments} seek=${seek} />`}</section>`;
}

export function Moments({ moments, seek }) {
  return html`<div class="moments"><h2>${texts.track.moments}</h2><p class="hint">${texts.track.attentionHint}</p>
    <ul class="chips">${moments.slice(0, 6).map((each) => html`<li key=${each.start}><button class="chip"
      title=${texts.track.moment(clock(each.start), clock(each.end), percent(each.weight))}
      onClick=${() => seek(each.start)}><span class="hidden">${texts.player.play}</span><${Icon} name="play" /><b>${clock(each.start)}</b>
      <span>${wordsOf(each).join(" · ")}</span>
      <span class="chip-count">${percent(each.weight)}</span></button></li>`)}</ul></div>`;
}

// Return the genre of a moment and its two likeliest words that add information.
const wordsOf = ({ genre, tags }) =>
  [genre, ...tags.map(({ tag }) => tag).filter((tag) => tag !== "music" && tag !== genre).slice(0, 2)];

// The nearest tracks of an answer; `track` is null for a file from outside, which has no pairs of windows.
export function Neighbours({ track, matches }) {
  const [open, setOpen] = useState(null);
  const ids = matches.map((match) => match.track_id).join();
  const full = useLoad(() => complete(matches), [ids]);
  if (!matches.length) return html`<${Empty} icon="near" title=${texts.track.noAlike} hint=${texts.track.noAlikeHint} />`;
  const similarity = new Map(matches.map((match) => [match.track_id, match.similarity]));
  const list = full.data || [];
  return html`<section><h2>${texts.track.alike}</h2><p class="hint">${texts.track.alikeHint}</p>
    <div class="rows neighbours" role="list" aria-label=${texts.track.alike}>${list.map((match, index) => {
      const shown = open === match.track_id;
      const share = similarity.get(match.track_id);
      return html`<${TrackRow} key=${match.track_id} track=${match} play=${() => player.playTracks(list, index)}
        end=${html`<${Share} share=${share} />
          ${track && html`<button class="why-button" aria-expanded=${shown} aria-label=${texts.why.label(titleOf(match))}
            onClick=${() => setOpen(shown ? null : match.track_id)}>${texts.why.button}</button>`}`} />
        ${shown && html`<div role="listitem" key=${`why-${match.track_id}`}><${WhyPanel} a=${track} b=${match} /></div>`}`;
    })}</div></section>`;
}
