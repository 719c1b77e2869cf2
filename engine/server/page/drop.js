// Drop a sound file anywhere: it is uploaded, and its view opens.
import { upload } from "./api.js";
import { html, useEffect, useState } from "./html.js";
import { sayError } from "./notices.js";
import { go, link } from "./router.js";
import { texts } from "./texts.js";
import { Icon } from "./parts/icons.js";
import { percent } from "./parts/format.js";

export const files = new Map(); // files of this visit by the id of their upload: they can be played

export function DropZone() {
  const [over, setOver] = useState(false);
  const [sending, setSending] = useState(null);
  useEffect(() => {
    const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
    const handlers = {
      dragover: (event) => {
        if (!holdsFiles(event)) return;
        event.preventDefault();
        setOver(true);
      },
      dragleave: (event) => event.relatedTarget === null && setOver(false),
      drop: (event) => {
        if (!holdsFiles(event)) return;
        event.preventDefault();
        setOver(false);
        receive(event.dataTransfer.files[0]);
      },
      "engine:file": (event) => receive(event.detail),
    };
    const receive = async (file) => {
      setSending({ name: file.name, share: 0 });
      try {
        const made = await upload(file, (share) => setSending({ name: file.name, share }));
        files.set(made.id, file);
        go(link("upload", made.id));
      } catch (error) {
        sayError(error);
      }
      setSending(null);
    };
    for (const [name, handler] of Object.entries(handlers)) addEventListener(name, handler);
    return () => {
      for (const [name, handler] of Object.entries(handlers)) removeEventListener(name, handler);
    };
  }, []);
  if (!over && !sending) return null;
  return html`<div class="drop" role="status"><${Icon} name="file" />
    <p>${sending ? texts.drop.sending(sending.name, percent(sending.share)) : texts.drop.overlay}</p></div>`;
}

// A button that opens the system's file dialog; its file takes the way of a dropped one.
export function ChooseFile() {
  const choose = (event) => {
    const [file] = event.target.files;
    if (file) dispatchEvent(new CustomEvent("engine:file", { detail: file }));
    event.target.value = "";
  };
  return html`<label class="button quiet file-button"><${Icon} name="file" />${texts.drop.choose}
    <input type="file" accept="audio/*,video/*,.opus,.flac,.mod,.xm,.it,.s3m" onChange=${choose} /></label>`;
}
