// An artist: albums, a radio, and artists that sound alike.
import { get, post } from "../api.js";
import { html } from "../html.js";
import { AlbumCard, Shelf, initials } from "../parts/cards.js";
import { Cover } from "../parts/cover.js";
import { StarButton } from "../parts/favourite.js";
import { Icon } from "../parts/icons.js";
import { percent } from "../parts/format.js";
import { Answer } from "../parts/states.js";
import { playTracks } from "../player.js";
import { startRadio } from "../radio.js";
import { link } from "../router.js";
import { useLoad } from "../store.js";
import { texts } from "../texts.js";

const ALIKE = 12;

export function ArtistView({ id }) {
  const artist = useLoad((signal) => get(`artists/${encodeURIComponent(id)}`, {}, signal), [id]);
  return html`<${Answer} of=${artist} level="h1" show=${(data) => html`<${Artist} artist=${data} />`} />`;
}

function Artist({ artist }) {
  const reference = `artist:${artist.name}`;
  const alike = useLoad(async () => {
    const answer = await post("similar", { like: [reference], group: "artist", k: ALIKE });
    const { artists } = await get("artists", { q: "", limit: 1000 });
    const known = new Map(artists.map((each) => [each.name.toLowerCase(), each.artist_id]));
    return answer.groups.map((group) => ({ ...group, artist_id: known.get(group.artist.toLowerCase()) }));
  }, [artist.artist_id]);
  const playAll = async () => {
    const lists = await Promise.all(artist.album_list.map((album) => get(`albums/${album.album_id}`)));
    playTracks(lists.flatMap((album) => album.track_list));
  };
  return html`<div class="view"><header class="hero with-cover">
      <div class="hero-round"><${Cover} seed=${artist.artist_id} round /><span class="monogram">${initials(artist.name)}</span></div>
      <div><h1 dir="auto">${artist.name}</h1>
        <p class="muted">${texts.albums(artist.albums)} · ${texts.tracks(artist.tracks)}</p></div>
        <div class="buttons">
          ${artist.albums > 0 && html`<button class="button" onClick=${playAll}><${Icon} name="play" />${texts.list.playAll}</button>`}
          <button class="button quiet" onClick=${() => startRadio([reference], artist.name)}><${Icon} name="radio" />
            ${texts.track.radioButton}</button>
          <${StarButton} item=${artist.artist_id} name=${artist.name} label=${true} /></div></header>
    ${artist.album_list.length > 0 && html`<${Shelf} title=${texts.nav.albums}>
      ${artist.album_list.map((album) => html`<${AlbumCard} key=${album.album_id} album=${album} />`)}<//>`}
    ${alike.data?.length > 0 && html`<${Shelf} title=${texts.track.alike}>
      ${alike.data.map((group) => html`<div class="card centred" role="listitem" key=${group.artist}>
        <a class="card-cover" href=${group.artist_id ? link("artist", group.artist_id) : link("track", group.track_id)}
          tabindex="-1" aria-hidden="true"><${Cover} seed=${group.artist_id || group.artist} round />
          <span class="monogram">${initials(group.artist)}</span></a>
        <a class="card-title" dir="auto"
          href=${group.artist_id ? link("artist", group.artist_id) : link("track", group.track_id)}>${group.artist}</a>
        <span class="card-artist">${texts.track.similarity(percent(group.similarity))}</span></div>`)}<//>`}</div>`;
}
