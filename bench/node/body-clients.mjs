/**
 * Clients that move large bodies. WORK is `whole SIZE`, `streamed SIZE` or `upload SIZE`; each checks that all bytes
 * went over.
 */

import http from "node:http";

const KEY = "sk_test_unlimited_bench";
const HEADERS = { authorization: `Bearer ${KEY}` };

/** The kind of work and its size in bytes. */
function parse(work) {
  const [kind, size] = work.split(" ");
  return { kind, size: Number(size), body: kind === "upload" ? Buffer.alloc(Number(size), "x") : null };
}

function check(got, wanted) {
  if (got !== wanted) throw new Error(`${got} bytes instead of ${wanted}`);
}

async function count(pieces) {
  let length = 0;
  for await (const piece of pieces) length += piece.length;
  return length;
}

/** By the name in the table: what makes a function that moves one body. */
export const clients = {
  async gatewright(url, work) {
    const { kind, size, body } = parse(work);
    const { Client } = await import("gatewright");
    const client = new Client(url, { auth: KEY });
    return {
      whole: async () => check((await (await client.get(`/bytes/${size}`)).bytes()).length, size),
      streamed: async () => check(await count(await client.stream("GET", `/bytes/${size}`)), size),
      upload: async () => check((await (await client.post("/upload", { body })).json()).bytes, size),
    }[kind];
  },

  async "undici request"(url, work) {
    const { kind, size, body } = parse(work);
    const { request } = await import("undici");
    const get = async () => (await request(`${url}/bytes/${size}`, { headers: HEADERS })).body;
    const post = async () => (await request(`${url}/upload`, { method: "POST", headers: HEADERS, body })).body;
    return {
      whole: async () => check((await (await get()).bytes()).length, size),
      streamed: async () => check(await count(await get()), size),
      upload: async () => check((await (await post()).json()).bytes, size),
    }[kind];
  },

  fetch(url, work) {
    const { kind, size, body } = parse(work);
    const get = () => fetch(`${url}/bytes/${size}`, { headers: HEADERS });
    const post = () => fetch(`${url}/upload`, { method: "POST", headers: HEADERS, body });
    return {
      whole: async () => check((await (await get()).arrayBuffer()).byteLength, size),
      streamed: async () => check(await count((await get()).body), size),
      upload: async () => check((await (await post()).json()).bytes, size),
    }[kind];
  },

  http(url, work) {
    const { kind, size, body } = parse(work);
    const agent = new http.Agent({ keepAlive: true });
    const send = (method, path) =>
      new Promise((resolve, reject) => {
        const headers = body ? { ...HEADERS, "content-length": body.length } : HEADERS;
        http
          .request(url + path, { agent, method, headers }, resolve)
          .on("error", reject)
          .end(body);
      });
    const whole = async (response) => {
      const pieces = [];
      for await (const piece of response) pieces.push(piece);
      return Buffer.concat(pieces);
    };
    return {
      whole: async () => check((await whole(await send("GET", `/bytes/${size}`))).length, size),
      streamed: async () => check(await count(await send("GET", `/bytes/${size}`)), size),
      upload: async () => check(JSON.parse(await whole(await send("POST", "/upload"))).bytes, size),
    }[kind];
  },
};
