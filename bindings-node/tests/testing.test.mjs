/** `gatewright/testing`: the gateway in a user's own tests. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import test from "node:test";

import { IS_WEB, NAME, nodeOnly } from "./package.mjs";

const inNode = nodeOnly("there are no processes");
const { Gateway, GatewayError, GatewayNotInstalledError } = IS_WEB ? {} : await import(`${NAME}/testing`);
const QUICK = { backoffBase: 60, backoffCap: 60 };
const DAY = 24 * 60 * 60 * 1_000;

const gateway = IS_WEB ? undefined : await Gateway.start();
test.after(() => gateway?.stop());

const headerOf = (entry, name) => new Map(entry.headers).get(name);

test("an answer that is lost does not make two contacts", inNode, async () => {
  const session = gateway.session();
  await session.script("contacts.create", "503;ra-ms=40", "lost");
  const answer = await session.client({ retry: QUICK }).post("/v1/contacts", { json: { name: "Ada" } });
  assert.equal((await answer.json()).name, "Ada");
  assert.equal((await session.effects("contacts.create")).count, 1);
  const attempts = await session.journal({ op: "contacts.create" });
  assert.deepEqual(
    attempts.map((attempt) => attempt.fault),
    ["503;ra-ms=40", "lost", null],
  );
  assert.equal(new Set(attempts.map((attempt) => headerOf(attempt, "idempotency-key"))).size, 1);
  assert.equal(attempts[0].told.retry_after_ms, 40);
  const verdict = await session.verdict();
  assert.deepEqual([verdict.grade, verdict.logical_calls, verdict.requests], ["A", 1, 3], verdict.reason);
  assert.equal(verdict.calls[0].effects, 1);
});

test("on a clock that stands still a day passes when it is told to", inNode, async () => {
  const session = gateway.session();
  await session.freeze();
  const client = session.client();
  const send = async () => (await client.post("/v1/contacts", { json: { name: "Ada" }, idempotencyKey: "one" })).json();
  const [first, again] = [await send(), await send()];
  const before = await session.clock();
  const after = await session.advance(DAY);
  assert.equal(after.frozen, true);
  assert.equal(after.now_ms - before.now_ms, DAY);
  const later = await send();
  assert.equal(first.id, again.id);
  assert.notEqual(first.id, later.id);
  assert.equal((await session.effects("contacts.create")).count, 2);
});

test("rules, options and tokens can be set and taken away", inNode, async () => {
  const session = gateway.session();
  await session.outage("503", { op: "contacts.*" });
  await session.script("users.list", "500");
  assert.deepEqual(
    (await session.faults()).map((rule) => rule.name),
    ["outage", undefined],
  );
  await session.clearFaults("outage");
  assert.equal((await session.faults()).length, 1);
  assert.equal((await session.set({ dialect: "github" })).dialect, "github");
  const { token } = await session.token(60_000, { tier: "free" });
  const whoami = await session.client({ auth: token }).get("/v1/whoami");
  assert.equal((await whoami.json()).tier, "free");
  assert.equal((await session.limits()).length, 1);
  await session.reset();
  assert.deepEqual([await session.faults(), await session.journal()], [[], []]);
  await session.close();
});

test("headers of one's own are sent beside the session's", inNode, async () => {
  const session = gateway.session();
  await session.client({ headers: { "x-mine": "1" } }).get("/v1/whoami");
  const [entry] = await session.journal();
  assert.deepEqual([headerOf(entry, "x-mine"), headerOf(entry, "x-mock-session")], ["1", session.name]);
});

test("what is refused is said in the gateway's words", inNode, async () => {
  const refused = gateway.session().setFaults({ script: ["nonsense"] });
  await assert.rejects(refused, (error) => error instanceof GatewayError && /400 .*nonsense/.test(error.message));
});

test("a gateway has regions, and says when it has been stopped", inNode, async () => {
  const own = await Gateway.start({ regions: ["eu"] });
  assert.deepEqual(Object.keys(own.regions), ["eu"]);
  await own.setRegion("eu", false);
  assert.equal((await own.admin("GET", "regions")).regions[0].up, false);
  await own[Symbol.asyncDispose]();
  await own.stop();
  await assert.rejects(own.session().journal(), /it has been stopped/);
});

test("one that does not start says why", inNode, async () => {
  await assert.rejects(Gateway.start({ arguments: ["--nonsense"] }), /did not start: .*no option of serve/);
  await assert.rejects(Gateway.start({ program: "/nowhere/at/all" }), /cannot be started/);
});

test("without a program the error says which command installs it", inNode, async (t) => {
  const isInstalled = (() => {
    try {
      return createRequire(import.meta.url).resolve("gatewright-gateway") !== "";
    } catch {
      return false;
    }
  })();
  if (isInstalled) {
    return t.skip("it is installed here");
  }
  const { GATEWRIGHT_GATEWAY, PATH } = process.env;
  delete process.env.GATEWRIGHT_GATEWAY;
  process.env.PATH = "";
  try {
    await assert.rejects(
      Gateway.start(),
      (error) =>
        error instanceof GatewayNotInstalledError &&
        error.message.includes("npm install --save-dev gatewright-gateway"),
    );
  } finally {
    Object.assign(process.env, { GATEWRIGHT_GATEWAY, PATH });
  }
});

const onLinux = process.platform === "linux" ? inNode : { skip: "only Linux says which processes there are" };

test("it ends with its parent, however that ends, and does not keep it alive", onLinux, async () => {
  const script = `const { Gateway } = require(${JSON.stringify(`${NAME}/testing`)});
    Gateway.start().then(async (gateway) => {
      const { readdirSync, readFileSync } = require("node:fs");
      const pid = readFileSync("/proc/self/task/" + process.pid + "/children", "utf8").trim();
      console.log(pid);
      if (process.argv[1] === "kill") process.kill(process.pid, "SIGKILL");
    });`;
  for (const how of ["kill", "end"]) {
    const child = spawn(process.execPath, ["-e", script, how], {
      stdio: ["ignore", "pipe", "inherit"],
      cwd: new URL(".", import.meta.url),
    });
    let said = "";
    child.stdout.on("data", (chunk) => {
      said += chunk;
    });
    await once(child, "close");
    const pid = Number(said.trim());
    assert.ok(pid > 0, said);
    for (const begun = performance.now(); isRunning(pid); ) {
      assert.ok(performance.now() - begun < 30_000, "the gateway is still there");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
});

function isRunning(pid) {
  const path = `/proc/${pid}/stat`;
  try {
    return existsSync(path) && readFileSync(path, "utf8").split(") ").at(-1)[0] !== "Z";
  } catch {
    return false;
  }
}
