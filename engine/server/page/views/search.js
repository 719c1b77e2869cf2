// The search box at the top, and its results: artists, albums and tracks, as you type.
import { get } from "../api.js";
import { html, useEffect, useRef, useState } from "../html.js";
import { AlbumCard, ArtistCard, Shelf } from "../parts/cards.js";
import { Icon } from "../parts/icons.js";
import { VirtualList } from "../parts/list.js";
import { ROW_HEIGHT, Share, TrackRow } from "../parts/rows.js";
import { Answer, Empty } from "../parts/states.js";
import { playTracks } from "../player.js";
import { complete } from "../radio.js";
import { go, link, place } from "../router.js";
import { useLoad, useStore } from "../store.js";
import { texts } from "../texts.js";

const WAIT_MS = 140; // after a key, before the search starts
const TRACKS = 300;
const CARDS = 12;
const THINK_MS = 500; // after the last change, before the words are read as a description
const FEW = 3; // tracks found by name, up to which one word is read as a description, too
const DESCRIBED = 30; // tracks

export function SearchBox() {
  const here = useStore(place, (value) => value);
  const words = here.view === "search" ? here.query.q || "" : "";
  const [text, setText] = useState(words);
  const timer = useRef(null);
  useEffect(() => {
    if (document.activeElement?.id !== "search") setText(words); // what is being typed is newer than the address
  }, [here.view, words]);
  const type = (event) => {
    const value = event.target.value;
    setText(value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      if (value.trim()) go(link("search", "", { q: value }), place.get().view === "search");
      else if (place.get().view === "search") go("#/", true);
    }, WAIT_MS);
  };
  const onKey = (event) => {
    if (event.key === "Escape") event.target.blur();
    if (event.key === "ArrowDown" || event.key === "Enter") {
      document.querySelector("main .row-main, main .card-title")?.focus();
      event.preventDefault();
    }
  };
  return html`<form class="search" role="search" onSubmit=${(event) => event.preventDefault()}>
    <${Icon} name="search" /><input id="search" type="search" value=${text} onInput=${type} onKeyDown=${onKey}
      aria-label=${texts.search.label} placeholder=${texts.search.placeholder} autocomplete="off" spellcheck="false"
      maxlength="500" dir="auto" enterkeyhint="search" /><kbd aria-hidden="true">/</kbd></form>`;
}

export function SearchView({ query }) {
  const q = query.q || "";
  const found = useLoad(async (signal) => {
    const [tracks, albums, artists] = await Promise.all([
      get("tracks", { q, limit: TRACKS }, signal),
      get("albums", { q, limit: CARDS }, signal),
      get("artists", { q, limit: CARDS }, signal),
    ]);
    return { q, tracks: tracks.tracks, albums: albums.albums, artists: artists.artists };
  }, [q]);
  return html`<div class="view"><h1>${texts.search.heading(q)}</h1>
    <${Answer} of=${found} show=${(data) => html`<${Results} ...${data} />`} /></div>`;
}

// Tracks that fit the words as a description; null while it is not known, or where nothing was understood.
function useDescribed(q, wanted) {
  const found = useLoad(async (signal) => {
    await new Promise((resolve) => setTimeout(resolve, THINK_MS));
    if (!wanted || signal.aborted) return null;
    const answer = await get("find", { text: q, k: DESCRIBED }, signal).catch((error) => {
      if (error.status === 422) return null; // nothing was understood
      throw error;
    });
    return answer && { ...answer, tracks: await complete(answer.matches) };
  }, [q, wanted]);
  return found.loading ? null : found.data;
}

function Results({ q, tracks, albums, artists }) {
  const described = useDescribed(q, q.trim().includes(" ") || tracks.length <= FEW);
  if (!tracks.length && !albums.length && !artists.length && !described?.tracks.length) {
    return html`<${Empty} icon="search" title=${texts.search.none(q)} hint=${texts.search.noneHint} />`;
  }
  return html`<p class="hidden" role="status">${texts.tracks(tracks.length)}</p>
    ${artists.length > 0 && html`<${Shelf} title=${texts.search.artists}>
      ${artists.map((artist) => html`<${ArtistCard} key=${artist.artist_id} artist=${artist} />`)}<//>`}
    ${albums.length > 0 && html`<${Shelf} title=${texts.search.albums}>
      ${albums.map((album) => html`<${AlbumCard} key=${album.album_id} album=${album} />`)}<//>`}
    ${tracks.length > 0 && html`<section><h2>${texts.search.tracks}</h2>
      <${VirtualList} total=${tracks.length} rowHeight=${ROW_HEIGHT} label=${texts.search.tracks}
        show=${(at) => html`<${TrackRow} key=${tracks[at].track_id} track=${tracks[at]} position=${at + 1}
          total=${tracks.length} play=${() => playTracks(tracks, at)} />`} /></section>`}
    ${described?.tracks.length > 0 && html`<${Described} ...${described} />`}`;
}

function Described({ understood, ignored, matches, tracks }) {
  const fit = new Map(matches.map((match) => [match.track_id, match.similarity]));
  return html`<section><h2>${texts.search.sounds}</h2><ul class="chips understood" aria-label=${texts.search.understood}>
      ${understood.map(({ tag, weight }) => html`<li class="chip" data-without=${weight < 0} key=${tag}>
        ${weight < 0 ? texts.search.without(tag) : texts.search.with(tag)}</li>`)}
      ${ignored.length > 0 && html`<li class="hint">${texts.search.ignored(ignored.join(", "))}</li>`}</ul>
    <${VirtualList} total=${tracks.length} rowHeight=${ROW_HEIGHT} label=${texts.search.sounds} show=${(at) => html`
      <${TrackRow} key=${tracks[at].track_id} track=${tracks[at]} position=${at + 1} total=${tracks.length}
        play=${() => playTracks(tracks, at)} end=${html`<${Share} share=${fit.get(tracks[at].track_id)} />`} />`} /></section>`;
}
