// A value that components follow, and the two hooks that they use: useStore for shared state, useLoad for answers.
import { useEffect, useState } from "./html.js";

// Return a store of an object: get() returns it, set(changes) merges changes into a new one and tells followers.
export function createStore(initial) {
  let value = initial;
  const followers = new Set();
  return {
    get: () => value,
    set(changes) {
      value = { ...value, ...changes };
      for (const follower of [...followers]) follower(value);
    },
    follow(follower) {
      followers.add(follower);
      return () => followers.delete(follower);
    },
  };
}

// Return the selected part of a store; the component is drawn again when that part changes.
export function useStore(store, select) {
  const [, draw] = useState(0);
  const selected = select(store.get());
  useEffect(() => {
    let last = select(store.get());
    if (!Object.is(last, selected)) draw((count) => count + 1);
    return store.follow((value) => {
      const next = select(value);
      if (Object.is(next, last)) return;
      last = next;
      draw((count) => count + 1);
    });
  }, [store]);
  return selected;
}

// Load an answer when one of `causes` changes. Returns { data, error, loading, reload }; the last data stay meanwhile.
export function useLoad(load, causes) {
  const [state, setState] = useState({ data: null, error: null, loading: true });
  const [round, setRound] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    setState((last) => ({ ...last, error: null, loading: true }));
    load(stop.signal).then(
      (data) => stop.signal.aborted || setState({ data, error: null, loading: false }),
      (error) => stop.signal.aborted || setState({ data: null, error, loading: false }),
    );
    return () => stop.abort();
  }, [...causes, round]);
  return { ...state, reload: () => setRound((count) => count + 1) };
}

// Read and write a setting of this browser; a browser that stores nothing gives the fallback.
export function readSetting(name, fallback) {
  try {
    const text = localStorage.getItem(`engine.${name}`);
    return text === null ? fallback : JSON.parse(text);
  } catch {
    return fallback;
  }
}

export function writeSetting(name, value) {
  try {
    localStorage.setItem(`engine.${name}`, JSON.stringify(value));
  } catch {
    // private windows: the setting lasts as long as the page
  }
}
