/**
 * HTTP clients that fetch a small JSON document. Each with its defaults, made once and kept, as its documentation
 * shows; each decodes the body, and sends the same credential.
 */

import http from "node:http";

const PATH = "/v1/contacts/ct_000001";
const KEY = "sk_test_unlimited_bench";
const HEADERS = { authorization: `Bearer ${KEY}` };

/** Every body must be there and decoded. */
function check(body) {
  if (body.id !== "ct_000001") throw new Error(`not the body that was asked for: ${JSON.stringify(body)}`);
}

async function gatewright(url, path) {
  const { Client } = await import("gatewright");
  const client = new Client(url, { auth: KEY });
  return async () => check(await (await client.get(path)).json());
}

/** By the name in the table: what makes a function that makes a call. */
export const clients = {
  gatewright: (url) => gatewright(url, PATH),

  "gatewright, RateLimit headers read": (url) => gatewright(url, `/limited${PATH}`),

  async "undici request"(url) {
    const { request } = await import("undici");
    return async () => {
      const { body } = await request(url + PATH, { headers: HEADERS });
      check(await body.json());
    };
  },

  async "undici Pool.request"(url) {
    const { Pool } = await import("undici");
    const pool = new Pool(url, { connections: 64 });
    return async () => {
      const { body } = await pool.request({ method: "GET", path: PATH, headers: HEADERS });
      check(await body.json());
    };
  },

  fetch: (url) => async () => check(await (await fetch(url + PATH, { headers: HEADERS })).json()),

  http(url) {
    const agent = new http.Agent({ keepAlive: true });
    const call = () =>
      new Promise((resolve, reject) => {
        const request = http.get(url + PATH, { agent, headers: HEADERS }, (response) => {
          const pieces = [];
          response.on("data", (piece) => pieces.push(piece));
          response.on("error", reject);
          response.on("end", () => resolve(JSON.parse(Buffer.concat(pieces).toString())));
        });
        request.on("error", reject);
      });
    return async () => check(await call());
  },

  async got(url) {
    const { got } = await import("got");
    const client = got.extend({ prefixUrl: url, headers: HEADERS });
    return async () => check(await client.get(PATH.slice(1)).json());
  },

  async axios(url) {
    const { default: axios } = await import("axios");
    const client = axios.create({ baseURL: url, headers: HEADERS });
    return async () => check((await client.get(PATH)).data);
  },

  async ky(url) {
    const { default: ky } = await import("ky");
    const client = ky.create({ prefixUrl: url, headers: HEADERS });
    return async () => check(await client.get(PATH.slice(1)).json());
  },

  async openai(url) {
    const { default: OpenAI } = await import("openai");
    const client = new OpenAI({ apiKey: KEY, baseURL: url });
    return async () => check(await client.get(PATH));
  },

  async stripe(url) {
    const { default: Stripe } = await import("stripe");
    const { hostname, port } = new URL(url);
    const client = new Stripe(KEY, { protocol: "http", host: hostname, port: Number(port) });
    return async () => check(await client.rawRequest("GET", PATH));
  },
};
