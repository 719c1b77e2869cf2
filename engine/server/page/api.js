// Requests to /api/v1. URLs are relative to the page, so that it works under a proxy's sub-path.
import { texts } from "./texts.js";

const BASE = "api/v1/";

// An answer that is not 2xx: the server's message and hint.
export class ApiError extends Error {
  constructor(status, { message, hint, code } = {}) {
    super(message || texts.errors.server(status));
    this.status = status;
    this.hint = hint || "";
    this.code = code || "";
  }
}

let onLoggedOut = () => {};

// Call `listener` when the server answers 401.
export function whenLoggedOut(listener) {
  onLoggedOut = listener;
}

// Return the URL of a path with parameters; lists repeat a parameter, null leaves it out.
export function url(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== null && each !== undefined && each !== "") query.append(name, each);
    }
  }
  const text = query.toString();
  return BASE + path + (text ? `?${text}` : "");
}

export const coverUrl = (track, size) => url(`tracks/${track}/cover`, { size, optional: true });
export const audioUrl = (track, parameters) => url(`tracks/${track}/audio`, parameters);

async function send(method, path, { parameters, body, type = "application/json", signal } = {}) {
  const options = { method, signal, headers: {} };
  if (body !== undefined) {
    options.body = type === "application/json" ? JSON.stringify(body) : body;
    options.headers["Content-Type"] = type;
  }
  let response;
  try {
    response = await fetch(url(path, parameters), options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, { message: texts.errors.offline, hint: texts.errors.offlineHint });
  }
  if (response.status === 204) return null;
  const document = await response.json().catch(() => ({}));
  if (response.ok) return document;
  if (response.status === 401 && path !== "session") onLoggedOut();
  throw new ApiError(response.status, document.error);
}

export const get = (path, parameters, signal) => send("GET", path, { parameters, signal });
export const post = (path, body) => send("POST", path, { body });
export const postText = (path, parameters, body, type) => send("POST", path, { parameters, body, type });
export const patch = (path, body) => send("PATCH", path, { body });
export const put = (path, body) => send("PUT", path, { body });
export const remove = (path) => send("DELETE", path);

const remembered = new Map();

// Like get, for answers that stay the same while the page is open: waveforms, attention, pairs.
export function getOnce(path, parameters) {
  const key = url(path, parameters);
  if (!remembered.has(key)) {
    const answer = get(path, parameters);
    remembered.set(key, answer);
    answer.catch(() => remembered.delete(key));
  }
  return remembered.get(key);
}

// Upload a file; `onProgress` gets 0 to 1. Returns the upload's document.
export function upload(file, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url("uploads", { name: file.name }));
    request.responseType = "json";
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onerror = () => reject(new ApiError(0, { message: texts.errors.offline }));
    request.onload = () =>
      request.status === 201
        ? resolve(request.response)
        : reject(new ApiError(request.status, request.response?.error));
    request.send(file);
  });
}
