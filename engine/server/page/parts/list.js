// A list of any length: only rows near the window are in the document, and pages are loaded when they come near.
import { html, useEffect, useLayoutEffect, useRef, useState } from "../html.js";
import { texts } from "../texts.js";
import { Failed } from "./states.js";

const PAGE = 100; // items of one request
const BEYOND = 8; // rows drawn above and below the window

// Load pages with `load(offset, limit, signal)`, which returns { total, items }. Another `name` is another list.
export function usePages(name, load) {
  const pages = useRef({ name: null });
  const [, draw] = useState(0);
  if (pages.current.name !== name) {
    pages.current.stop?.abort();
    pages.current = { name, total: null, held: new Map(), error: null, stop: new AbortController() };
  }
  const book = pages.current;
  const fetchPage = (page) => {
    if (book.held.has(page)) return;
    book.held.set(page, null);
    load(page * PAGE, PAGE, book.stop.signal).then(
      ({ total, items }) => {
        book.total = total ?? items.length;
        book.held.set(page, items);
        draw((count) => count + 1);
      },
      (error) => {
        if (error.name === "AbortError") return;
        book.held.delete(page);
        book.error = error;
        draw((count) => count + 1);
      },
    );
  };
  useEffect(() => fetchPage(0), [name]);
  return {
    total: book.total,
    error: book.error,
    item: (index) => book.held.get(Math.floor(index / PAGE))?.[index % PAGE],
    want: (first, last) => {
      for (let page = Math.floor(first / PAGE); page <= Math.floor(last / PAGE); page++) fetchPage(page);
    },
    held: () => [...book.held.entries()].sort(([a], [b]) => a - b).flatMap(([, items]) => items || []),
    retry: () => {
      book.error = null;
      fetchPage(0);
      draw((count) => count + 1);
    },
  };
}

// Draw `total` items in rows of `columns`; `show(index)` draws one. Scrolls with the page's main part.
export function VirtualList({ total, rowHeight, columns = 1, show, want, label, kind = "" }) {
  const box = useRef(null);
  const [range, setRange] = useState([0, 20]);
  const rows = Math.ceil(total / columns);
  useLayoutEffect(() => {
    const element = box.current;
    const scroller = element.closest("[data-scroller]");
    const measure = () => {
      const top = scroller.getBoundingClientRect().top - element.getBoundingClientRect().top;
      const first = Math.max(0, Math.floor(top / rowHeight) - BEYOND);
      const last = Math.min(rows, Math.ceil((top + scroller.clientHeight) / rowHeight) + BEYOND);
      setRange((old) => (old[0] === first && old[1] === last ? old : [first, Math.max(first, last)]));
    };
    measure();
    scroller.addEventListener("scroll", measure, { passive: true });
    const sizes = new ResizeObserver(measure);
    sizes.observe(scroller);
    return () => {
      scroller.removeEventListener("scroll", measure);
      sizes.disconnect();
    };
  }, [rows, rowHeight]);
  const [first, last] = [range[0], Math.min(rows, range[1])];
  useEffect(() => {
    if (last > first) want?.(first * columns, Math.min(total, last * columns) - 1);
  }, [first, last, total, columns]);
  const drawn = [];
  for (let row = first; row < last; row++) {
    const items = [];
    for (let at = row * columns; at < Math.min(total, (row + 1) * columns); at++) items.push(show(at));
    drawn.push(html`<div class=${`virtual-row ${kind}`} key=${row} style=${{
      transform: `translateY(${row * rowHeight}px)`, height: `${rowHeight}px`, "--columns": columns }}>${items}</div>`);
  }
  return html`<div ref=${box} class="virtual" role="list" aria-label=${label} style=${{ height: `${rows * rowHeight}px` }}>
    ${drawn}</div>`;
}

export const Placeholder = ({ position, total }) =>
  html`<div class="row ghost" role="listitem" aria-posinset=${position} aria-setsize=${total} aria-label=${texts.loading}>
  </div>`;

export const PagesFailed = ({ pages }) => html`<${Failed} error=${pages.error} retry=${pages.retry} />`;
