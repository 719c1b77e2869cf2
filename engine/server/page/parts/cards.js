// Cards of albums and artists, in shelves and in grids of any length.
import { html, useLayoutEffect, useRef, useState } from "../html.js";
import { get } from "../api.js";
import { playTracks } from "../player.js";
import { sayError } from "../notices.js";
import { link } from "../router.js";
import { texts } from "../texts.js";
import { Cover } from "./cover.js";
import { scaled } from "./format.js";
import { Icon } from "./icons.js";
import { VirtualList } from "./list.js";

const NARROWEST = scaled(148); // pixels of a card
const NAMES = scaled(64); // pixels under a cover

export async function playAlbum(album, shuffle = false) {
  try {
    const { track_list } = await get(`albums/${album.album_id}`);
    playTracks(shuffle ? shuffled(track_list) : track_list);
  } catch (error) {
    sayError(error);
  }
}

export function shuffled(list) {
  const mixed = [...list];
  for (let at = mixed.length - 1; at > 0; at--) {
    const other = Math.floor(Math.random() * (at + 1));
    [mixed[at], mixed[other]] = [mixed[other], mixed[at]];
  }
  return mixed;
}

export function AlbumCard({ album, position, total }) {
  return html`<div class="card" role="listitem" aria-posinset=${position} aria-setsize=${total}>
    <div class="card-cover"><a href=${link("album", album.album_id)} tabindex="-1" aria-hidden="true">
        <${Cover} track=${album.cover} seed=${album.album_id} size=${256} /></a>
      <button class="card-play" onClick=${() => playAlbum(album)}
        aria-label=${texts.track.play(texts.by(album.name, album.artist))}><${Icon} name="play" /></button></div>
    <a class="card-title" dir="auto" href=${link("album", album.album_id)}>${album.name}</a>
    <a class="card-artist" dir="auto" href=${link("artist", album.artist_id)}>${album.artist}</a></div>`;
}

export function ArtistCard({ artist, position, total }) {
  return html`<div class="card centred" role="listitem" aria-posinset=${position} aria-setsize=${total}>
    <a class="card-cover" href=${link("artist", artist.artist_id)} tabindex="-1" aria-hidden="true">
      <${Cover} seed=${artist.artist_id} round /><span class="monogram" dir="auto">${initials(artist.name)}</span></a>
    <a class="card-title" dir="auto" href=${link("artist", artist.artist_id)}>${artist.name}</a>
    <span class="card-artist">${texts.tracks(artist.tracks)}</span></div>`;
}

export const initials = (name) =>
  name.split(/\s+/).filter((word) => /^[\p{L}\p{N}]/u.test(word)).slice(0, 2).map((word) => [...word][0]).join("").toUpperCase();

// A shelf: one row of cards that scrolls sideways.
export function Shelf({ title, more, children }) {
  return html`<section class="shelf"><header><h2>${title}</h2>${more && html`<a href=${more}>${texts.home.all}</a>`}</header>
    <div class="shelf-cards" role="list" tabindex="0" aria-label=${title}>${children}</div></section>`;
}

// A grid of as many columns as fit; `show(index)` draws a card.
export function Grid({ pages, show, label }) {
  const box = useRef(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = box.current;
    const measure = () => setWidth(element.clientWidth);
    measure();
    const sizes = new ResizeObserver(measure);
    sizes.observe(element);
    return () => sizes.disconnect();
  }, []);
  const gap = scaled(width < 500 ? 12 : 20);
  const columns = Math.max(2, Math.floor((width + gap) / (NARROWEST + gap)));
  const rowHeight = Math.round((width - (columns - 1) * gap) / columns) + NAMES + gap;
  return html`<div ref=${box} class="grid">${width > 0 && html`<${VirtualList} total=${pages.total} label=${label}
    columns=${columns} rowHeight=${rowHeight} want=${pages.want} kind="cards" show=${show} />`}</div>`;
}

export const GhostCard = () => html`<div class="card ghost-card" role="listitem" aria-label=${texts.loading}>
  <div class="card-cover"></div></div>`;
