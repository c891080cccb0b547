// @ts-check
/**
 * The adapter within a web worker. Import maps do not reach here, so the page names the package's entries in this module's URL.
 * Messages are lines, both ways; the first one says that it is ready.
 */

import { adapterInBrowser } from "./in-browser.mjs";

const entries = new URL(import.meta.url).searchParams;
const answer = adapterInBrowser(
  await import(String(entries.get("main"))),
  await import(String(entries.get("webhooks"))),
);
addEventListener("message", async (message) => postMessage(await answer(message.data)));
postMessage("ready");
