// Keeps the page up to date and sends its forms without leaving it. Without this script everything works by loading pages.

const app = document.getElementById("app");
const said = document.getElementById("said");
const markup = globalThis.trustedTypes?.createPolicy("dashboard", { createHTML: (html) => html }) ?? {
  createHTML: (html) => html,
};

/** Makes `old` the same as `fresh`, changing as little as possible, so that focus, selection and what is open stay. */
function become(old, fresh) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) {
      old.data = fresh.data;
    }
    return;
  }
  if (old.hasAttribute("data-keep")) {
    return;
  }
  for (const { name } of [...old.attributes]) {
    // Whether it is open is the reader's.
    if (!fresh.hasAttribute(name) && !(name === "open" && old.localName === "details")) {
      old.removeAttribute(name);
    }
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) {
      old.setAttribute(name, value);
    }
  }
  // What somebody is choosing or typing is theirs until it is sent.
  if (old.localName === "select" && old === document.activeElement) {
    return;
  }
  becomeChildren(old, fresh);
}

/** Its id. A form's own property may be a field that is called so. */
const idOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.getAttribute("id") : null);

const alike = (one, other) =>
  one.nodeType === other.nodeType && one.nodeName === other.nodeName && idOf(one) === idOf(other);

function becomeChildren(old, fresh) {
  const wantedIds = new Set([...fresh.children].map(idOf));
  const named = new Map();
  for (const child of [...old.children]) {
    const id = idOf(child);
    if (id && wantedIds.has(id)) {
      named.set(id, child);
    } else if (id) {
      // It goes first, so that nothing beside it has to move: what is moved loses the focus.
      child.remove();
      // The texts around it are one now, as they are in what is wanted.
      old.normalize();
    }
  }
  let at = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const known = idOf(wanted) && named.get(idOf(wanted));
    if (known && known.nodeName === wanted.nodeName) {
      if (known === at) {
        at = at.nextSibling;
      } else {
        old.insertBefore(known, at);
      }
      become(known, wanted);
    } else if (at && alike(at, wanted) && !idOf(at)) {
      become(at, wanted);
      at = at.nextSibling;
    } else {
      const node = document.importNode(wanted, true);
      if (node.localName === "tr" && idOf(node)) {
        node.classList.add("fresh");
      }
      old.insertBefore(node, at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function show(html) {
  const fresh = document.createElement("template");
  fresh.innerHTML = markup.createHTML(html);
  const focused = document.activeElement;
  const section = focused?.closest("section");
  becomeChildren(app, fresh.content);
  if (app.contains(focused) === false && section && !focused.isConnected) {
    // What had the focus is gone, by what was done to it: go on beside it.
    const next = section.isConnected && section.querySelector("button, a[href], select, input:not([type=hidden])");
    (next || document.getElementById("main"))?.focus();
  }
  app.dataset.shown = Number(app.dataset.shown ?? 0) + 1;
}

// Live: the same address, as a stream.
const live = document.getElementById("live");
let source;

function listen() {
  source?.close();
  source = new EventSource(location.href);
  source.addEventListener("content", ({ data }) => {
    live.classList.remove("lost");
    live.textContent = "Live";
    show(JSON.parse(data));
  });
  source.addEventListener("gone", () => {
    source.close();
    live.classList.add("lost");
    live.textContent = "Gone";
  });
  source.addEventListener("error", () => {
    live.classList.add("lost");
    live.textContent = "Reconnecting";
  });
  source.addEventListener("open", () => {
    live.classList.remove("lost");
    live.textContent = "Live";
  });
}

function pause() {
  source?.close();
  source = undefined;
  live.classList.remove("lost");
  live.textContent = "Paused";
}

live.hidden = false;
live.addEventListener("click", () => {
  const on = live.getAttribute("aria-pressed") !== "true";
  live.setAttribute("aria-pressed", String(on));
  on ? listen() : pause();
});
// A page in the background asks for nothing.
document.addEventListener("visibilitychange", () => {
  if (live.getAttribute("aria-pressed") === "true") {
    document.hidden ? source?.close() : listen();
  }
});
listen();

// The colours: the system's, or chosen and remembered.
const theme = document.getElementById("theme");
const themes = ["auto", "light", "dark"];
let chosen = "auto";
try {
  chosen = localStorage.getItem("theme") ?? "auto";
} catch {
  // Without storage the choice lasts as long as the page.
}

function paint() {
  const { dataset } = document.documentElement;
  if (chosen === "auto") {
    delete dataset.theme;
  } else {
    dataset.theme = chosen;
  }
  theme.textContent = `Theme: ${chosen}`;
}

theme.hidden = false;
theme.addEventListener("click", () => {
  chosen = themes[(themes.indexOf(chosen) + 1) % themes.length];
  try {
    localStorage.setItem("theme", chosen);
  } catch {
    // As above.
  }
  paint();
});
paint();

// Forms: what chooses is sent as it is changed; what does something is done in the background.
document.addEventListener("change", ({ target }) => {
  if (target.localName === "select") {
    target.closest("form[data-auto]")?.requestSubmit();
  }
});

let silence;
function say(text, wrong) {
  clearTimeout(silence);
  said.textContent = text;
  said.classList.toggle("wrong", wrong);
  silence = setTimeout(() => {
    said.textContent = "";
  }, 6_000);
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.method !== "post") {
    return;
  }
  event.preventDefault();
  const fields = new URLSearchParams(new FormData(form, event.submitter));
  try {
    const response = await fetch(form.getAttribute("action"), {
      method: "POST",
      body: fields,
      headers: { accept: "application/json" },
    });
    const answer = await response.json();
    say(answer.said, !response.ok);
  } catch {
    say("The gateway does not answer.", true);
  }
  if (!source) {
    location.reload();
  }
});

document.documentElement.dataset.ready = "true";
