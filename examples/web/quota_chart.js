/** A quota over time: what is left of it, as the client knows it and as the server has it, and the calls held back. */

import { find } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 222;
/** Where things are, from the top: what is left, then the calls held back, then the seconds. */
const LEFT = { title: 10, top: 24, bottom: 120 };
const HELD = { title: 145, top: 156, bottom: 196 };
const MARGIN = { left: 20, right: 4 };
/** The chart is at least so long. */
const SHORTEST_MS = 8000;

export class QuotaChart {
  #samples = [];
  #limit = 3;
  #most = 9;
  #svg = shape("svg");

  constructor(element) {
    this.#svg.setAttribute("role", "img");
    this.#svg.setAttribute("height", HEIGHT);
    element.append(this.#svg);
    new ResizeObserver(() => this.draw()).observe(element);
  }

  /** Forgets what was drawn. */
  restart() {
    this.#samples = [];
  }

  /** What is so `atMs` after the start: `server` and `client` may be unknown yet. */
  add(atMs, { server, client, limit, held }) {
    this.#limit = limit ?? this.#limit;
    this.#most = Math.max(this.#most, held);
    this.#samples.push({ atMs, server, client, held });
    find("left-server").textContent = server ?? "–";
    find("left-client").textContent = client ?? "–";
    find("held").textContent = held;
  }

  draw() {
    const width = this.#svg.parentElement.clientWidth;
    if (width === 0) {
      return;
    }
    const end = Math.max(SHORTEST_MS, this.#samples.at(-1)?.atMs ?? 0);
    const x = (ms) => MARGIN.left + (ms / end) * (width - MARGIN.left - MARGIN.right);
    const y = (band, value, most) => band.bottom - (value / most) * (band.bottom - band.top);
    const parts = [text(0, LEFT.title, "Calls left"), text(0, HELD.title, "Calls held back")];
    for (let value = 0; value <= this.#limit; value++) {
      const at = y(LEFT, value, this.#limit);
      parts.push(line(MARGIN.left, at, width - MARGIN.right, at), text(0, at + 4, value));
    }
    parts.push(line(MARGIN.left, HELD.bottom, width - MARGIN.right, HELD.bottom));
    parts.push(text(0, HELD.bottom + 3, 0), text(0, HELD.top + 8, this.#most));
    const step = end > 12_000 ? 4_000 : 2_000;
    for (let ms = 0; ms <= end; ms += step) {
      const anchor = ms === 0 ? "start" : ms + step > end ? "end" : "middle";
      parts.push(text(x(ms), HEIGHT - 8, `${ms / 1000} s`, anchor));
    }
    const client = steps(this.#samples, "client", x, (value) => y(LEFT, value, this.#limit));
    const server = steps(this.#samples, "server", x, (value) => y(LEFT, value, this.#limit));
    const held = steps(this.#samples, "held", x, (value) => y(HELD, value, this.#most));
    parts.push(path("held", closed(held, HELD.bottom)), path("area", closed(client, LEFT.bottom)));
    parts.push(path("client", client.d), path("server", server.d));
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    this.#svg.setAttribute("aria-label", this.#inWords());
    this.#svg.replaceChildren(...parts);
  }

  #inWords() {
    const last = this.#samples.at(-1);
    return last
      ? `The quota over the last ${Math.round(last.atMs / 1000)} seconds: ${last.server ?? "unknown"} of ${this.#limit} left, ${last.held} calls held back.`
      : "The quota over time; nothing was called yet.";
  }
}

/** A line in steps through what is known, and where it begins and ends. */
function steps(samples, name, x, y) {
  const known = samples.filter((sample) => sample[name] !== undefined);
  let d = "";
  let previous;
  for (const sample of known) {
    const value = sample[name];
    if (d === "") {
      d = `M${x(sample.atMs)} ${y(value)}`;
    } else if (value !== previous || sample === known.at(-1)) {
      d += `H${x(sample.atMs)}V${y(value)}`;
    }
    previous = value;
  }
  return { d, from: x(known[0]?.atMs ?? 0), to: x(known.at(-1)?.atMs ?? 0) };
}

function closed({ d, from, to }, bottom) {
  return d && `${d}L${to} ${bottom}L${from} ${bottom}Z`;
}

function shape(name, attributes = {}) {
  const element = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) {
    element.setAttribute(attribute, value);
  }
  return element;
}

function line(x1, y1, x2, y2) {
  return shape("line", { class: "grid", x1, y1, x2, y2 });
}

function path(name, d) {
  return shape("path", { class: name, d });
}

function text(x, y, content, anchor = "start") {
  const element = shape("text", { x, y, "text-anchor": anchor });
  element.textContent = content;
  return element;
}
