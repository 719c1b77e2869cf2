// The encoder's predictions for a track: genres, moods, words, distances to the centres of genres.
import { html } from "../html.js";
import { texts } from "../texts.js";
import { Bars, Centroids } from "./charts.js";
import { genreColour, moodColour } from "./colours.js";
import { percent } from "./format.js";

const GENRES = 12; // shown
const WORDS = 10;
const SURE = 0.08; // probability from which a word is shown

export function Profile({ answer }) {
  const { genres, moods, tags, centroids } = answer;
  const words = (tags || []).filter(({ tag, probability }) => probability >= SURE && tag !== "music").slice(0, WORDS);
  return html`<section class="profile">
    <div class="panel"><h2>${texts.track.genres}</h2>
      <${Bars} items=${genres.map((each) => ({ name: each.genre, share: each.probability }))} colour=${genreColour}
        most=${GENRES} /></div>
    <div class="panel"><h2>${texts.track.moods}</h2>
      <${Bars} items=${moods.map((each) => ({ name: each.mood, share: each.probability }))} colour=${moodColour} />
      ${words.length > 0 && html`<h3>${texts.track.words}</h3><ul class="chips words">${words.map(({ tag, probability }) =>
        html`<li class="chip" key=${tag}>${tag}<span class="chip-count">${percent(probability)}</span></li>`)}</ul>`}</div>
    <div class="panel"><h2>${texts.track.centroids}</h2><${Centroids} centroids=${centroids} />
      <p class="hint">${texts.track.centroidsHint}</p></div></section>`;
}
