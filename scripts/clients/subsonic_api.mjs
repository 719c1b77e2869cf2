// A run of the npm package subsonic-api against a server with the user "ann", in both of its ways of authentication, by
// GET and by POST. The transcript of a run is subsonic_api.txt.
//   npm install subsonic-api
//   KEY=$(engine --quiet user key ann) APP=$(engine --quiet user key ann --password) node subsonic_api.mjs URL
import { SubsonicAPI } from "subsonic-api";
import assert from "node:assert";
const url = process.argv[2];
const ways = { "API key": { apiKey: process.env.KEY }, "password (token and salt)": { username: "ann", password: process.env.APP }, "wrong password": { username: "ann", password: "nonsense" } };
for (const [way, auth] of Object.entries(ways)) for (const post of [false, true]) {
  const api = new SubsonicAPI({ url, auth, post });
  const line = (name, value) => console.log(`${way}, ${post ? "POST" : "GET"}: ${name}: ${value}`);
  const ping = await api.ping();
  line("ping", ping.status + (ping.error ? ` ${ping.error.code} ${ping.error.message}` : ""));
  if (way === "wrong password") { assert.equal(ping.error.code, 40); continue; }
  const ext = await api.getOpenSubsonicExtensions(); line("extensions", ext.openSubsonicExtensions.map((e) => e.name).join(" "));
  const { albumList2 } = await api.getAlbumList2({ type: "newest", size: 3 }); line("albums", albumList2.album.map((a) => a.name).join(", "));
  const { album } = await api.getAlbum({ id: albumList2.album[0].id }); const song = album.song[0];
  const { searchResult3 } = await api.search3({ query: song.title }); assert(searchResult3.song.some((s) => s.id === song.id)); line("search3", song.title);
  const { similarSongs } = await api.getSimilarSongs({ id: song.id, count: 3 }); line("similar songs", similarSongs.song.map((s) => s.title).join(", "));
  if (api.getSonicSimilarTracks) { const r = await api.getSonicSimilarTracks({ id: song.id, count: 3 }); line("sonic", r.sonicMatch.map((m) => `${m.entry.title} ${m.similarity.toFixed(3)}`).join(", ")); }
  await api.star({ id: song.id }); assert((await api.getStarred2()).starred2.song.some((s) => s.id === song.id)); await api.unstar({ id: song.id });
  await api.setRating({ id: song.id, rating: 4 });
  await api.scrobble({ id: song.id, submission: true });
  const made = await api.createPlaylist({ name: "npm", songId: [song.id] }); const id = made.playlist.id;
  line("playlist", `${(await api.getPlaylist({ id })).playlist.entry.length} song`); await api.deletePlaylist({ id });
  const stream = await api.stream({ id: song.id, format: "mp3", maxBitRate: 64 }); line("stream", `${stream.status} ${stream.headers.get("content-type")} ${(await stream.arrayBuffer()).byteLength} bytes`);
  const cover = await api.getCoverArt({ id: song.coverArt ?? song.id, size: 128 }); line("cover", `${cover.status} ${cover.headers.get("content-type")}`);
  if (api.customJSON) { const t = await api.customJSON("getTranscodeDecision", { mediaId: song.id, mediaType: "song" }); line("getTranscodeDecision", `${t.status} ${t.error.code} ${t.error.message}`); }
}
