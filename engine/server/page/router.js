// The place in the page: the part of the address after "#", such as #/track/12 or #/search?q=bach.
import { createStore } from "./store.js";

export const place = createStore(read());

function read() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [view, ...rest] = path.split("/").map(decode);
  return { view: view || "home", id: rest.join("/"), query: Object.fromEntries(new URLSearchParams(query)) };
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

addEventListener("hashchange", () => place.set(read()));

// Return the address of a view.
export function link(view, id = "", query = {}) {
  const text = new URLSearchParams(query).toString();
  return `#/${view}${id === "" ? "" : `/${encodeURIComponent(id)}`}${text ? `?${text}` : ""}`;
}

// Go to a view; `replace` leaves no step in the browser's history.
export function go(target, replace = false) {
  if (replace) {
    history.replaceState(null, "", target);
    place.set(read());
  } else {
    location.hash = target;
  }
}
