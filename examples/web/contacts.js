/** The table of contacts and its pages. */

import { find, make } from "./dom.js";

export class Contacts {
  #pages = [];
  #shown = 0;
  #fresh = new Set();

  constructor() {
    find("previous").addEventListener("click", () => this.#turn(-1));
    find("next").addEventListener("click", () => this.#turn(1));
  }

  clear() {
    this.#pages = [];
    this.#shown = 0;
  }

  addPage(contacts) {
    this.#pages.push(contacts);
    this.#draw();
  }

  /** A contact that was just made: on top of the first page. */
  addNew(contact) {
    this.#fresh.add(contact.id);
    this.#pages[0] = [contact, ...(this.#pages[0] ?? [])].slice(0, 10);
    this.#shown = 0;
    this.#draw();
  }

  #turn(by) {
    this.#shown = Math.min(this.#pages.length - 1, Math.max(0, this.#shown + by));
    this.#draw();
  }

  #draw() {
    const rows = this.#pages[this.#shown].map((contact) => {
      const isNew = this.#fresh.has(contact.id) ? "new" : "";
      return make("tr", isNew, make("td", "", contact.name), make("td", "", contact.email ?? "–"));
    });
    find("contacts").replaceChildren(...rows);
    find("page").textContent = `${this.#shown + 1} of ${this.#pages.length}`;
    find("previous").disabled = this.#shown === 0;
    find("next").disabled = this.#shown === this.#pages.length - 1;
  }
}
