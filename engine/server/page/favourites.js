// Stars and ratings of the user, for every view: items are ids of tracks, albums and artists as texts.
import { get, put, remove } from "./api.js";
import { say, sayError } from "./notices.js";
import { createStore } from "./store.js";
import { texts } from "./texts.js";

export const favourites = createStore({ stars: {}, ratings: {} });

export async function loadFavourites() {
  try {
    const { stars, ratings } = await get("favourites");
    favourites.set({
      stars: Object.fromEntries(stars.map(({ item }) => [item, true])),
      ratings: Object.fromEntries(ratings.map(({ item, rating }) => [item, rating])),
    });
  } catch (error) {
    sayError(error);
  }
}

export const isStarred = (item) => Boolean(favourites.get().stars[item]);

// Star an item, or take its star; it shows at once and is taken back if the server refuses.
export function toggleStar(item, name) {
  const { [item]: before, ...others } = favourites.get().stars;
  favourites.set({ stars: before ? others : { ...others, [item]: true } });
  say(before ? texts.favourites.unstarred(name) : texts.favourites.starred(name));
  return store("stars", item, before ? remove(`stars/${item}`) : put(`stars/${item}`), before);
}

// Rate an item from 1 to 5; 0 removes the rating.
export function rate(item, rating, name) {
  const { [item]: before, ...others } = favourites.get().ratings;
  favourites.set({ ratings: rating ? { ...others, [item]: rating } : others });
  say(rating ? texts.favourites.rated(name, rating) : texts.favourites.unrated(name));
  return store("ratings", item, put(`ratings/${item}`, { rating }), before);
}

async function store(kind, item, request, before) {
  try {
    await request;
  } catch (error) {
    favourites.set({ [kind]: { ...favourites.get()[kind], [item]: before } });
    sayError(error);
  }
}
