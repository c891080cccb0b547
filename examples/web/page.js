// Run it: cargo xtask demo web    (or: gatewright-gateway serve --static /=examples/web --static /gatewright-web/=PACKAGE/dist)
/**
 * A page that uses `gatewright-web` as any page would: one client for each API key, a call for each button. What is special here is only
 * that the API is the reference gateway, which also serves this page: each visit has a session of its own there, in which the page
 * programs failures and looks at what really arrived.
 */

import { Contacts } from "./contacts.js";
import { find } from "./dom.js";
import { Client } from "./gatewright-web/index.js";
import { QuotaChart } from "./quota_chart.js";
import { Run } from "./runs.js";

const session = `web-${crypto.randomUUID().slice(0, 8)}`;

// The gateway's admin port, which this page comes from.
const admin = new Client(location.origin);
const health = await (await admin.get("/admin/health")).json();
// By the name of this page, because a page on `localhost` may not call what only answers as 127.0.0.1, and the other way round.
const api = new URL(health.url);
api.hostname = location.hostname;

const connect = (auth) => new Client(api, { auth, headers: { "x-mock-session": session } });
const pro = connect("sk_test_pro_acme");
const tiny = connect("sk_test_tiny_acme");

const contacts = new Contacts();
/** The burst that the chart follows. */
let currentWatch;
const chart = new QuotaChart(find("chart"));
find("where").textContent = `${api.host} · ${session} · ${health.version}`;

/** 45 contacts, ten at a time: each page is fetched when the loop asks for it. */
async function list(run) {
  contacts.clear();
  let count = 0;
  let row = run.row("page 1");
  for await (const page of pro.pages("/v1/contacts", { query: { limit: 10 }, signal: run.signal })) {
    row.show(page.response);
    contacts.addPage(page.items);
    count += page.items.length;
    if (count < 45 && page.items.length === 10) {
      row = run.row(`page ${count / 10 + 1}`);
    }
  }
  run.end(`${count} contacts on ${Math.ceil(count / 10)} pages.`);
}

/** Twelve calls at once: the client learns the quota from the first answers and holds the rest back, so that none is refused. */
async function burst(run) {
  const stop = await watchQuota();
  try {
    const call = async (_, index) => {
      const row = run.row(`call ${index + 1}`);
      row.show(await tiny.get("/v1/whoami", { signal: run.signal }));
    };
    await Promise.all(Array.from({ length: 12 }, call));
    const refused = await refusals();
    run.end(
      `12 of 12 answered 200 in ${(run.elapsedMs / 1000).toFixed(1)} s, ${refused} refused. The server lets 3 go at once, then one each 0.67 s.`,
    );
  } finally {
    stop();
  }
}

/** A 503 first, then an answer that breaks off after the contact was made: the idempotency key makes one contact of three requests. */
async function createThroughFailures(run) {
  const rule = { match: { op: "contacts.create" }, script: ["503", "short"] };
  await admin.put("/admin/faults", { query: { session }, json: { rules: [rule] } });
  const before = await effects();
  const row = run.row("attempt 1");
  const answer = await pro.post("/v1/contacts", { json: newContact(), signal: run.signal });
  row.show(answer);
  run.attempts(answer.attempts);
  contacts.addNew(await answer.json());
  const made = (await effects()) - before;
  run.end(`${answer.attempts.length} requests under one idempotency key: the server counts ${made} new contact.`);
}

/** Ten megabytes, counted as they come. */
async function download(run) {
  const total = 10_000_000;
  const bar = run.progress("Download");
  const row = run.row("stream");
  const answer = await pro.stream("GET", `/v1/bytes/${total}`, { signal: run.signal });
  let bytes = 0;
  for await (const piece of answer) {
    bytes += piece.length;
    bar.value = bytes / total;
    run.say(`${(bytes / 1e6).toFixed(1)} of ${total / 1e6} MB`);
  }
  row.showWhole(answer.status, run.elapsedMs, `${(bytes / 1e6).toFixed(1)} MB`);
  run.end(`${bytes.toLocaleString("en")} bytes in ${(run.elapsedMs / 1000).toFixed(2)} s.`);
}

/** A server that stays down: the client tries three times and then says all it knows. */
async function goWrong(run) {
  const rule = { match: { op: "whoami", method: "GET" }, script: ["503;ra=1", "502", "503"] };
  await admin.put("/admin/faults", { query: { session }, json: { rules: [rule] } });
  run.row("attempt 1");
  await pro.get("/v1/whoami", { signal: run.signal });
  run.end("It went well, against all expectations.");
}

async function create(run, json) {
  run.row("attempt 1");
  const answer = await pro.post("/v1/contacts", { json, signal: run.signal });
  run.attempts(answer.attempts);
  const contact = await answer.json();
  contacts.addNew(contact);
  find("create").reset();
  run.end(`Created ${contact.name} (${contact.id}).`);
}

function newContact() {
  const names = ["Ada Lovelace", "Grace Hopper", "Alan Turing", "Barbara Liskov", "Edsger Dijkstra", "Radia Perlman"];
  const name = names[Math.floor(Math.random() * names.length)];
  return { name, email: `${name.split(" ")[0].toLowerCase()}@example.com` };
}

/** What the gateway counts as made, whatever was answered. */
async function effects() {
  return (await (await admin.get("/admin/effects", { query: { session, op: "contacts.create" } })).json()).count;
}

/** How many calls of the burst the server had to turn down. */
async function refusals() {
  const journal = await (await admin.get("/admin/journal", { query: { session, op: "whoami" } })).json();
  const refused = journal.entries.filter((entry) => entry.status === 429).length;
  find("refused").textContent = refused;
  return refused;
}

/**
 * Draws the quota until it is whole again after the returned function was called. The client's view is asked for at every frame; the
 * server's as often as it answers.
 */
async function watchQuota() {
  const watch = { over: false, server: 3 };
  currentWatch = watch;
  const goesOn = () => currentWatch === watch && (!watch.over || watch.server < 3);
  const askServer = async () => {
    const { tenants } = await (await admin.get("/admin/limits", { query: { session } })).json();
    // Who has not called yet is not in the list, and has all of it.
    watch.server = tenants.find(({ tier }) => tier === "tiny")?.remaining ?? 3;
  };
  await askServer();
  const begun = performance.now();
  chart.restart();
  const draw = () => {
    const limits = tiny.state().limits[0];
    const quota = limits?.quotas[0];
    const sample = { server: watch.server, client: quota?.remaining, limit: quota?.limit, held: limits?.queued ?? 0 };
    chart.add(performance.now() - begun, sample);
    chart.draw();
    if (goesOn()) {
      requestAnimationFrame(draw);
    }
  };
  const poll = async () => {
    while (goesOn()) {
      await askServer();
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
  };
  draw();
  // Where the server is gone, the calls themselves say so.
  poll().catch(() => {
    currentWatch = undefined;
  });
  return () => {
    watch.over = true;
  };
}

/** Makes an action of a button: one run at a time, and what goes wrong is shown, not lost. */
async function start(button, run, action) {
  if (button.ariaDisabled === "true") {
    return;
  }
  button.ariaDisabled = "true";
  const begun = run();
  try {
    await action(begun);
  } catch (error) {
    if (error.attempts?.length > 0) {
      begun.attempts(error.attempts);
    }
    begun.fail(error);
  } finally {
    button.ariaDisabled = "false";
  }
}

const actions = {
  list: [() => new Run("List contacts", "GET /v1/contacts, ten at a time"), list],
  burst: [() => new Run("Burst of 12", "GET /v1/whoami, twelve times at once on the tiny tier"), burst],
  failure: [() => new Run("Create through failures", "POST /v1/contacts"), createThroughFailures],
  download: [() => new Run("Download 10 MB", "GET /v1/bytes/10000000"), download],
  wrong: [() => new Run("Go wrong", "GET /v1/whoami"), goWrong],
};

for (const [id, [run, action]] of Object.entries(actions)) {
  find(id).addEventListener("click", ({ currentTarget }) => start(currentTarget, run, action));
}

find("create").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { name, email } = Object.fromEntries(new FormData(event.currentTarget));
  const run = () => new Run("Create", "POST /v1/contacts");
  await start(event.submitter, run, (begun) => create(begun, email ? { name, email } : { name }));
});

document.documentElement.dataset.ready = "true";
