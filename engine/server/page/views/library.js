// Albums, artists and tracks as lists of any length, with genres to choose from and orders.
import { get } from "../api.js";
import { html } from "../html.js";
import { AlbumCard, ArtistCard, GhostCard, Grid, shuffled } from "../parts/cards.js";
import { moodColour } from "../parts/colours.js";
import { count } from "../parts/format.js";
import { Icon } from "../parts/icons.js";
import { PagesFailed, Placeholder, VirtualList, usePages } from "../parts/list.js";
import { ROW_HEIGHT, TrackRow } from "../parts/rows.js";
import { Empty, Loading } from "../parts/states.js";
import { playTracks } from "../player.js";
import { startRadio } from "../radio.js";
import { go, link } from "../router.js";
import { useLoad } from "../store.js";
import { texts } from "../texts.js";

const FACETS = 24; // genres shown

export function AlbumsView({ query }) {
  const sort = query.sort || "name";
  const genre = query.genre || "";
  const pages = usePages(`albums/${sort}/${genre}`, async (offset, limit, signal) => {
    const { total, albums } = await get("albums", { sort, genre, offset, limit }, signal);
    return { total, items: albums };
  });
  return html`<div class="view"><${Head} title=${texts.nav.albums} total=${pages.total} counted=${texts.albums}>
      <${Sort} view="albums" query=${query} orders=${["name", "artist", "added", "year"]} value=${sort} /><//>
    <${Genres} view="albums" query=${query} />
    <${Body} pages=${pages}><${Grid} pages=${pages} label=${texts.nav.albums} show=${(at) => {
      const album = pages.item(at);
      return album ? html`<${AlbumCard} key=${at} album=${album} position=${at + 1} total=${pages.total} />`
        : html`<${GhostCard} key=${at} />`;
    }} /><//></div>`;
}

export function ArtistsView() {
  const pages = usePages("artists", async (offset, limit, signal) => {
    const { total, artists } = await get("artists", { offset, limit }, signal);
    return { total, items: artists };
  });
  return html`<div class="view"><${Head} title=${texts.nav.artists} total=${pages.total} counted=${texts.artists} />
    <${Body} pages=${pages}><${Grid} pages=${pages} label=${texts.nav.artists} show=${(at) => {
      const artist = pages.item(at);
      return artist ? html`<${ArtistCard} key=${at} artist=${artist} position=${at + 1} total=${pages.total} />`
        : html`<${GhostCard} key=${at} />`;
    }} /><//></div>`;
}

export function TracksView({ query }) {
  const sort = query.sort || "album";
  const genre = query.genre || "";
  const starred = query.starred || "";
  const mood = query.mood || "";
  const pages = usePages(`tracks/${sort}/${genre}/${mood}/${starred}`, async (offset, limit, signal) => {
    const { total, tracks } = await get("tracks", { sort, genre, mood, starred, offset, limit }, signal);
    return { total, items: tracks };
  });
  const playFrom = (at) => {
    const held = pages.held();
    playTracks(held, held.indexOf(pages.item(at)));
  };
  return html`<div class="view"><${Head} title=${genre || (starred ? texts.favourites.heading : texts.nav.tracks)} total=${pages.total} counted=${texts.tracks}>
      <button class="button" disabled=${!pages.total} onClick=${() => playFrom(0)}><${Icon} name="play" />
        ${texts.list.playAll}</button>
      <button class="button quiet" disabled=${!pages.total} onClick=${() => playTracks(shuffled(pages.held()))}>
        ${texts.list.shuffle}</button>
      ${genre && html`<button class="button quiet" disabled=${!pages.total} onClick=${() =>
        startRadio(shuffled(pages.held()).slice(0, 5).map((track) => String(track.track_id)), genre)}>
        <${Icon} name="radio" />${texts.track.radioButton}</button>`}
      <${Sort} view="tracks" query=${query} orders=${["album", "name", "added", "year", "starred", "rating", "plays"]} value=${sort} /><//>
    <${Genres} view="tracks" query=${query} /><${Moods} query=${query} />
    <${Body} pages=${pages}><${VirtualList} total=${pages.total} rowHeight=${ROW_HEIGHT} want=${pages.want}
      label=${texts.nav.tracks} show=${(at) => {
        const track = pages.item(at);
        return track ? html`<${TrackRow} key=${at} track=${track} play=${() => playFrom(at)} position=${at + 1}
          total=${pages.total} />` : html`<${Placeholder} key=${at} position=${at + 1} total=${pages.total} />`;
      }} /><//></div>`;
}

function Head({ title, total, counted, children }) {
  return html`<header class="view-head"><div><h1 dir="auto">${title}</h1>
    <p class="muted" role="status">${total === null ? texts.loading : counted(total)}</p></div>
    <div class="buttons">${children}</div></header>`;
}

function Body({ pages, children }) {
  if (pages.error) return html`<${PagesFailed} pages=${pages} />`;
  if (pages.total === null) return html`<${Loading} rows=${8} />`;
  if (!pages.total) return html`<${Empty} title=${texts.list.empty} hint=${texts.list.emptyHint} />`;
  return children;
}

function Sort({ view, query, orders, value }) {
  return html`<label class="select"><span class="hidden">${texts.list.sort}</span>
    <select value=${value} onChange=${(event) => go(link(view, "", { ...query, sort: event.target.value }), true)}>
      ${orders.map((order) => html`<option value=${order} selected=${order === value}>${texts.list.sorts[order]}</option>`)}
    </select></label>`;
}

function Moods({ query }) {
  const genre = query.genre || "";
  const found = useLoad((signal) => get("moods", { genre }, signal), [genre]);
  if (!found.data?.moods.length) return null;
  const { mood: current, ...rest } = query;
  return html`<nav class="chips" aria-label=${texts.list.mood}>
    <a class="chip" aria-current=${current ? null : "true"} href=${link("tracks", "", rest)}>${texts.list.allMoods}</a>
    ${found.data.moods.map(({ mood, tracks }) => html`<a class="chip" key=${mood} aria-current=${mood === current ? "true" : null}
      href=${link("tracks", "", { ...rest, mood })}><span class="legend-dot" style=${{ background: moodColour(mood) }}></span>
      <span class="tile-name">${mood}</span><span class="chip-count">${count(tracks)}</span></a>`)}</nav>`;
}

function Genres({ view, query }) {
  const found = useLoad((signal) => get("genre-tags", {}, signal), []);
  if (!found.data?.genres.length) return null;
  const chip = (name, label, number) => {
    const { genre: _, ...rest } = query;
    const current = (query.genre || "") === name;
    return html`<a class="chip" key=${name} aria-current=${current ? "true" : null}
      href=${link(view, "", name ? { ...rest, genre: name } : rest)}>${label}
      ${number !== undefined && html`<span class="chip-count">${count(number)}</span>`}</a>`;
  };
  const { starred, ...unstarred } = query;
  return html`<nav class="chips" aria-label=${texts.list.genre}>
    ${view === "tracks" && html`<a class="chip" aria-current=${starred ? "true" : null}
      href=${link(view, "", starred ? unstarred : { ...query, starred: "true" })}><${Icon} name="like" filled=${Boolean(starred)} />
      ${texts.favourites.heading}</a>`}${chip("", texts.list.allGenres)}
    ${found.data.genres.slice(0, FACETS).map(({ genre, tracks }) => chip(genre, genre, view === "tracks" ? tracks : undefined))}
  </nav>`;
}
