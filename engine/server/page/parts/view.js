// The view of the map: the place in the middle and the zoom, moved by pointer, wheel, fingers and keys.

const MOST_ZOOM = 400; // times the whole map
const EASE = 0.22; // share of the way to the wanted view in one frame
const WHEEL = 0.0016;
const CLICK = 5; // pixels that a click may move

export class MapView2D {
  constructor(changed) {
    Object.assign(this, { x: 0, y: 0, zoom: 1, width: 1, height: 1 });
    this.wanted = { x: 0, y: 0, zoom: 1 };
    this.changed = changed;
    this.calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  }

  get whole() {
    return 0.46 * Math.min(this.width, this.height);
  }

  get magnification() {
    return this.zoom / this.whole;
  }

  resize(width, height) {
    const magnification = this.width > 1 ? this.wanted.zoom / this.whole : 1;
    Object.assign(this, { width, height });
    this.wanted.zoom = magnification * this.whole;
    this.jump();
  }

  jump() {
    Object.assign(this, this.wanted);
    this.changed();
  }

  // Come nearer to the wanted view; returns whether there is still a way to go.
  step() {
    const { x, y, zoom } = this.wanted;
    const still = Math.abs(zoom / this.zoom - 1) < 1e-3 && Math.hypot(x - this.x, y - this.y) * this.zoom < 0.1;
    if (still || this.calm) {
      Object.assign(this, this.wanted);
      return false;
    }
    this.zoom *= (zoom / this.zoom) ** EASE;
    this.x += (x - this.x) * EASE;
    this.y += (y - this.y) * EASE;
    return true;
  }

  toMap(px, py, view = this) {
    return [view.x + (px - this.width / 2) / view.zoom, view.y - (py - this.height / 2) / view.zoom];
  }

  toPixels(x, y) {
    return [(x - this.x) * this.zoom + this.width / 2, (this.y - y) * this.zoom + this.height / 2];
  }

  zoomAt(px, py, factor) {
    const [x, y] = this.toMap(px, py, this.wanted);
    const zoom = Math.min(MOST_ZOOM * this.whole, Math.max(0.5 * this.whole, this.wanted.zoom * factor));
    this.wanted = { zoom, x: x - (px - this.width / 2) / zoom, y: y + (py - this.height / 2) / zoom };
    this.changed();
  }

  pan(dx, dy) {
    this.wanted.x -= dx / this.wanted.zoom;
    this.wanted.y += dy / this.wanted.zoom;
    this.changed();
  }

  reset() {
    this.wanted = { x: 0, y: 0, zoom: this.whole };
    this.changed();
  }

  // Follow an element's pointers. `on`: hover(px, py) or hover(null), click(px, py), lassoing(), lasso(points, done).
  attach(element, on) {
    const pointers = new Map();
    let moved = 0;
    let loop = null;
    const local = (event) => {
      const box = element.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    element.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoomAt(...local(event), Math.exp(-event.deltaY * WHEEL * (event.deltaMode ? 20 : 1)));
    }, { passive: false });
    element.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      element.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, local(event));
      moved = 0;
      loop = pointers.size === 1 && (event.shiftKey || on.lassoing()) ? [local(event)] : null;
    });
    element.addEventListener("pointermove", (event) => {
      const [px, py] = local(event);
      const before = pointers.get(event.pointerId);
      if (!before) {
        on.hover(px, py);
        return;
      }
      moved += Math.hypot(px - before[0], py - before[1]);
      if (loop) {
        loop.push([px, py]);
        on.lasso(loop, false);
      } else if (pointers.size === 1) {
        this.pan(px - before[0], py - before[1]);
        this.jump();
      } else {
        this.#pinch(pointers, event.pointerId, [px, py]);
      }
      pointers.set(event.pointerId, [px, py]);
    });
    const end = (event) => {
      if (!pointers.delete(event.pointerId)) return;
      if (loop) on.lasso(loop, true);
      else if (moved < CLICK && event.type === "pointerup") on.click(...local(event));
      loop = null;
    };
    element.addEventListener("pointerup", end);
    element.addEventListener("pointercancel", end);
    element.addEventListener("pointerleave", () => on.hover(null));
  }

  #pinch(pointers, moving, now) {
    const still = [...pointers].find(([id]) => id !== moving)[1];
    const before = pointers.get(moving);
    const apart = (one) => Math.max(1, Math.hypot(one[0] - still[0], one[1] - still[1]));
    this.zoomAt((now[0] + still[0]) / 2, (now[1] + still[1]) / 2, apart(now) / apart(before));
    this.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
    this.jump();
  }
}
