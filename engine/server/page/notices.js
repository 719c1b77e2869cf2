// Short notices at the bottom of the page; screen readers read them out.
import { createStore } from "./store.js";

const SHOWN_MS = 4500;

export const notices = createStore({ list: [] });
let number = 0;

// Show a notice: "info" or "error".
export function say(text, kind = "info") {
  const notice = { id: ++number, text, kind };
  notices.set({ list: [...notices.get().list.slice(-2), notice] });
  setTimeout(() => notices.set({ list: notices.get().list.filter((each) => each !== notice) }), SHOWN_MS);
}

// Show why a request failed.
export const sayError = (error) => say(error.hint ? `${error.message}. ${error.hint}` : error.message, "error");
