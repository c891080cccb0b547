/** A page that makes as many calls as it is told, with the client it is told, and says how long they took. */

import { Client } from "gatewright-web";
import ky from "ky";
import OpenAI from "openai";
import { check, HEADERS, KEY, PATH, ready } from "./clients.js";

const ours = new Client(location.origin, { auth: KEY });
const kys = ky.create({ prefixUrl: location.origin, headers: HEADERS });
const openai = new OpenAI({ apiKey: KEY, baseURL: location.origin, dangerouslyAllowBrowser: true });

const CLIENTS = {
  "bare fetch": async (path) => (await fetch(path, { headers: HEADERS })).json(),
  "gatewright-web": async (path) => (await ours.get(path)).json(),
  ky: (path) => kys.get(path.slice(1)).json(),
  openai: (path) => openai.get(path),
};

// The browser's cache lets only one request at a time through to a URL: each call asks for another.
let number = 0;

globalThis.round = async (name, calls, atOnce) => {
  const call = CLIENTS[name];
  const each = Math.max(1, Math.round(calls / atOnce));
  const share = async () => {
    for (let n = 0; n < each; n++) check(await call(`${PATH}?n=${number++}`));
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: atOnce }, share));
  return { calls: each * atOnce, seconds: (performance.now() - begun) / 1e3 };
};
globalThis.names = Object.keys(CLIENTS);
ready();
