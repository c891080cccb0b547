/** From navigating to a page until its first call is answered and decoded, cold: in a new browser context each time. */

import { median, versionOf } from "../node/rounds.mjs";
import { withPage } from "./chromium.mjs";

const NAMES = ["fetch", "gatewright-web", "ky", "openai"];
/** Lines, as `Network.emulateNetworkConditions` takes them: milliseconds, bytes a second. */
const LINES = {
  "loopback, ms": undefined,
  "10 Mbit/s and 40 ms away, ms": { latency: 40, downloadThroughput: 1.25e6, uploadThroughput: 1.25e6 },
};

/** Prints the table. */
export async function firstCallTable({ browser, url, rounds, project }) {
  const times = Object.fromEntries(NAMES.map((name) => [name, Object.keys(LINES).map(() => [])]));
  for (let round = -1; round < rounds; round++) {
    for (const [at, line] of Object.values(LINES).entries()) {
      for (const name of round % 2 === 0 ? NAMES : [...NAMES].reverse()) {
        const page = `${url}/site/first-${name}.html`;
        const took = await withPage(browser, page, { line }, (page) => page.evaluate(() => globalThis.readyMs));
        // The round before the first warms up browser and server.
        if (round >= 0) times[name][at].push(took);
      }
    }
  }
  console.log(
    `| First call | ${Object.keys(LINES)
      .map((line) => `${line} | on top of fetch`)
      .join(" | ")} |`,
  );
  console.log("|---|---:|---:|---:|---:|");
  for (const name of NAMES) {
    const columns = times[name].map((took, at) => {
      const extra = median(took.map((time, round) => time - times.fetch[at][round]));
      return `${median(took).toFixed(0)} | ${extra.toFixed(0)}`;
    });
    console.log(`| ${name}${versionOf(name, project)} | ${columns.join(" | ")} |`);
  }
  console.log(
    `\nFrom navigation to the decoded answer, each in a new context of the same browser, medians of ${rounds} rounds that`,
  );
  console.log("alternate. Files come compressed by brotli; nothing is cached.");
}
