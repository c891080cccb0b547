// @ts-check
/** Passes lines on to the adapter within a web worker. */

const main = import.meta.resolve("gatewright-web");
const webhooks = import.meta.resolve("gatewright-web/webhooks");
const url = new URL("worker.mjs", import.meta.url);
url.search = new URLSearchParams({ main, webhooks }).toString();
const worker = new Worker(url, { type: "module" });

/** Those who wait for the answer to a request, by its id. @type {Map<number, (line: string) => void>} */
const waiting = new Map();

worker.addEventListener("message", (message) => {
  if (message.data === "ready") {
    Object.assign(globalThis, { answer });
    return;
  }
  const { id } = JSON.parse(message.data);
  waiting.get(id)?.(message.data);
  waiting.delete(id);
});

/**
 * @param {string} line
 * @returns {Promise<string>}
 */
function answer(line) {
  return new Promise((answered) => {
    waiting.set(JSON.parse(line).id, answered);
    worker.postMessage(line);
  });
}
