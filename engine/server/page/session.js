// Who is logged in: { user: { name, admin, accounts } }; `needed` if the server wants a login first.
import { createStore } from "./store.js";

export const session = createStore({ user: null, needed: false, error: null });
