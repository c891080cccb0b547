/** The examples of each framework, through the framework itself: what a sender gets, and what the developer reads. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { after, test } from "node:test";

import { serve } from "@hono/node-server";
import express from "express";
import Fastify from "fastify";
import { MemoryReplayGuard, Webhook } from "gatewright/webhooks";
import { expressWebhooks } from "gatewright/webhooks/express";
import { fastifyWebhooks } from "gatewright/webhooks/fastify";
import { honoWebhooks } from "gatewright/webhooks/hono";
import { nextApiWebhooks } from "gatewright/webhooks/next";
import { Hono } from "hono";
import { NextRequest } from "next/server.js";

const EXAMPLES = new URL("../examples/", import.meta.url);
const REFUSED = "webhook verification failed";
// With the spaces that JSON.stringify does not write.
const BODY = '{"type": "user.created", "data": {"id": "u_1"}}';

/** Three providers' signatures, made without the SDK. */
const SCHEMES = {
  stripe: {
    secret: "whsec_test",
    headers(body, at) {
      const signature = createHmac("sha256", "whsec_test").update(`${at}.${body}`).digest("hex");
      return { "stripe-signature": `t=${at},v1=${signature}` };
    },
  },
  github: {
    secret: "It's a Secret to Everybody",
    headers(body) {
      const signature = createHmac("sha256", "It's a Secret to Everybody").update(body).digest("hex");
      return { "x-hub-signature-256": `sha256=${signature}`, "x-github-event": "user.created" };
    },
  },
  "standard-webhooks": {
    secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    headers(body, at) {
      const key = Buffer.from("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "base64");
      const signature = createHmac("sha256", key).update(`msg_1.${at}.${body}`).digest("base64");
      return { "webhook-id": "msg_1", "webhook-timestamp": String(at), "webhook-signature": `v1,${signature}` };
    },
  },
};

const children = [];
after(() => {
  for (const child of children) {
    child.kill();
  }
});

/** Waits until a program has printed this: what it logs comes by another way than its answer. */
async function prints(printed, stream, expected) {
  const until = performance.now() + 10_000;
  while (!expected.test(printed[stream]) && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.match(printed[stream], expected);
}

/** A server's program, and how to send to it. */
async function server(file, scheme) {
  const child = spawn(process.execPath, [file], {
    cwd: EXAMPLES,
    env: { ...process.env, PORT: "0", WEBHOOK_SECRET: SCHEMES[scheme].secret, WEBHOOK_SCHEME: scheme },
  });
  children.push(child);
  const printed = { out: "", log: "" };
  child.stderr.on("data", (piece) => {
    printed.log += piece;
  });
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (piece) => {
    printed.out += piece;
  });
  while (!printed.out.includes("listening on")) {
    assert.equal(child.exitCode, null, printed.log);
    await Promise.race([once(child.stdout, "data"), once(child, "exit")]);
  }
  const url = /http:\S+/.exec(printed.out)[0];
  return { printed, send: (body, headers) => fetch(url, { method: "POST", body, headers }) };
}

/** A module's handler, called with what its framework makes of requests. */
async function module(file, scheme, call) {
  Object.assign(process.env, { WEBHOOK_SECRET: SCHEMES[scheme].secret, WEBHOOK_SCHEME: scheme });
  const imported = await import(new URL(`${file}?${scheme}`, EXAMPLES));
  const printed = { out: "", log: "" };
  const send = async (body, headers) => {
    const [out, log] = [console.log, console.warn];
    console.log = (text) => {
      printed.out += `${text}\n`;
    };
    console.warn = (text) => {
      printed.log += `${text}\n`;
    };
    try {
      return await call(imported, "https://example.com/hook", { method: "POST", body, headers, duplex: "half" });
    } finally {
      [console.log, console.warn] = [out, log];
    }
  };
  return { printed, send };
}

const FRAMEWORKS = {
  Express: (scheme) => server("webhooks_express.mjs", scheme),
  Fastify: (scheme) => server("webhooks_fastify.mjs", scheme),
  Hono: (scheme) => server("webhooks_hono.mjs", scheme),
  "Next.js": (scheme) =>
    module("webhooks_next_route.mjs", scheme, ({ POST }, url, init) => POST(new NextRequest(url, init))),
  "a Fetch handler": (scheme) =>
    module("webhooks_worker.mjs", scheme, (worker, url, init) => worker.default.fetch(new Request(url, init))),
};

for (const [framework, open] of Object.entries(FRAMEWORKS)) {
  for (const [scheme, { headers }] of Object.entries(SCHEMES)) {
    test(`${framework}: ${scheme}`, async () => {
      const { printed, send } = await open(scheme);
      const at = Math.floor(Date.now() / 1000);
      const json = { "content-type": "application/json" };
      const signed = (body) => ({ ...json, ...headers(body, at) });

      const accepted = await send(BODY, signed(BODY));
      assert.deepEqual([accepted.status, await accepted.text()], [200, ""]);
      await prints(printed, "out", /user\.created: u_1/);
      assert.equal(printed.log, "");

      const written = await send(JSON.stringify(JSON.parse(BODY)), signed(BODY));
      assert.deepEqual([written.status, await written.text()], [400, REFUSED]);
      await prints(printed, "log", /refused \(bad_signature\): .*(parsed|written again|serialised)/i);

      const unsigned = await send(BODY, json);
      assert.deepEqual([unsigned.status, await unsigned.text()], [400, REFUSED]);
      await prints(printed, "log", /refused \(missing_header\)/);

      const large = "x".repeat(1024 * 1024 + 1);
      assert.equal((await send(large, signed(large))).status, 413);
      await prints(printed, "log", /refused \(body_too_large\)/);

      assert.equal(printed.out.match(/user\.created/g).length, 1);
      assert.doesNotMatch(printed.log, /whsec_|Secret to Everybody/);
    });
  }
}

/** The same receiver in each framework that has a server, here in this process. */
const HOSTED = {
  async Express(handler, options, parsedBefore) {
    const app = express();
    if (parsedBefore) {
      app.use(express.json());
    }
    app.post("/hook", expressWebhooks(stripe(), handler, options));
    app.use((_error, _request, response, _next) => response.status(500).end());
    const server = app.listen(0, "127.0.0.1");
    await once(server, "listening");
    return { port: server.address().port, close: () => server.close() };
  },
  async "Next.js, an API route"(handler, options, parsedBefore) {
    const route = nextApiWebhooks(stripe(), handler, options);
    const app = express();
    if (parsedBefore) {
      app.use(express.json());
    }
    app.post("/hook", (request, response) => route(request, response));
    const server = app.listen(0, "127.0.0.1");
    await once(server, "listening");
    return { port: server.address().port, close: () => server.close() };
  },
  async Fastify(handler, options, parsedBefore) {
    const app = Fastify();
    if (parsedBefore) {
      app.addHook("preValidation", async (request) => {
        request.body = JSON.parse(request.body);
      });
    }
    app.register(fastifyWebhooks, { path: "/hook", webhook: stripe(), handler, ...options });
    await app.listen({ port: 0, host: "127.0.0.1" });
    return { port: app.server.address().port, close: () => app.close() };
  },
  async Hono(handler, options, parsedBefore) {
    const app = new Hono();
    if (parsedBefore) {
      app.use(async (context, next) => {
        await context.req.json();
        await next();
      });
    }
    app.post("/hook", honoWebhooks(stripe(), handler, options));
    app.onError((_error, context) => context.text("", 500));
    const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" });
    await once(server, "listening");
    return { port: server.address().port, close: () => server.close() };
  },
};

function stripe() {
  return new Webhook(SCHEMES.stripe.secret, { scheme: "stripe" });
}

for (const [framework, host] of Object.entries(HOSTED)) {
  const hosted = async (handler, options, parsedBefore) => {
    const { port, close } = await host(handler, options, parsedBefore);
    after(close);
    const headers = SCHEMES.stripe.headers(BODY, Math.floor(Date.now() / 1000));
    const init = { method: "POST", body: BODY, headers: { "content-type": "application/json", ...headers } };
    return async () => (await fetch(`http://127.0.0.1:${port}/hook`, init)).status;
  };

  test(`${framework}: a body that was parsed before is refused, and the log says where to mount`, async () => {
    const log = [];
    const send = await hosted(() => assert.fail("handled"), { log: (line) => log.push(line) }, true);
    assert.equal(await send(), 400);
    assert.equal(log.length, 1);
    assert.match(log[0], /refused \(body_parsed\): .*before any body parser/);
  });

  test(`${framework}: a handler that fails is the framework's, and the message comes again, and then once`, async (context) => {
    context.mock.method(console, "error", () => {});
    let calls = 0;
    const handler = () => {
      calls += 1;
      if (calls === 1) {
        throw new Error("no database");
      }
    };
    const send = await hosted(handler, { replayGuard: new MemoryReplayGuard(), sender: "billing" });
    assert.deepEqual([await send(), await send(), await send()], [500, 200, 200]);
    assert.equal(calls, 2);
  });

  test(`${framework}: a guard that is full or busy has the message sent again`, async () => {
    const busy = { reserve: async () => ({ state: "in_progress", until: new Date() }), commit() {}, release() {} };
    const send = await hosted(() => assert.fail("handled"), { replayGuard: busy });
    assert.equal(await send(), 503);
  });
}

test("a question to the endpoint is answered for the handler", async () => {
  const slack = new Webhook("8f742231b10e8888abcd99yyyzzz85a5", { scheme: "slack" });
  const asked = [];
  const app = express();
  const onChallenge = (challenge) => asked.push(challenge.status);
  app.post(
    "/hook",
    expressWebhooks(slack, () => assert.fail("handled"), { onChallenge }),
  );
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  const body = '{"type":"url_verification","challenge":"3eZb"}';
  const answer = await fetch(`http://127.0.0.1:${server.address().port}/hook`, {
    method: "POST",
    body,
    headers: slack.sign(body, {}),
  });
  assert.deepEqual([answer.status, await answer.text(), asked], [200, "3eZb", [200]]);
  server.close();
});
