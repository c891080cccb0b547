/** Calls a second against bare fetch, in one page. */

import { median, versionOf } from "../node/rounds.mjs";
import { withPage } from "./chromium.mjs";

const ROUND_SECONDS = 0.25;
const FLOOR = "bare fetch";
const AT_ONCE = [1, 16];

/** Runs the rounds of all clients and tells the seconds that a call took, by client. */
async function measure(page, names, rounds, atOnce) {
  const run = (name, calls) =>
    page.evaluate(([name, calls, atOnce]) => globalThis.round(name, calls, atOnce), [name, calls, atOnce]);
  const counts = {};
  for (const name of names) {
    await run(name, 10 * atOnce);
    const warm = await run(name, 20 * atOnce);
    counts[name] = Math.max(atOnce, Math.round((warm.calls / warm.seconds) * ROUND_SECONDS));
    await run(name, counts[name]);
  }
  const times = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : [...names].reverse()) {
      const { calls, seconds } = await run(name, counts[name]);
      times[name].push(seconds / calls);
    }
  }
  return times;
}

/** Prints the table. */
export async function callsTable({ browser, url, rounds, project }) {
  const all = await withPage(browser, `${url}/site/calls.html`, {}, async (page) => {
    const names = await page.evaluate(() => globalThis.names);
    const measured = [];
    for (const atOnce of AT_ONCE) measured.push(await measure(page, names, rounds, atOnce));
    return measured;
  });
  const titles = AT_ONCE.map((atOnce) => (atOnce === 1 ? "one at a time" : `${atOnce} at once`));
  console.log(`| In Chromium | ${titles.map((title) => `${title}, calls/s | bare fetch = 1`).join(" | ")} |`);
  console.log("|---|---:|---:|---:|---:|");
  for (const name of Object.keys(all[0])) {
    const columns = all.map((times) => {
      const share = median(times[name].map((time, round) => times[FLOOR][round] / time));
      return `${Math.round(1 / median(times[name])).toLocaleString("en-US")} | ${share.toFixed(3)}`;
    });
    console.log(`| ${name}${versionOf(name, project)} | ${columns.join(" | ")} |`);
  }
  console.log(
    `\nOne page, ${rounds} rounds of ${ROUND_SECONDS} s that alternate; medians of rounds. Over HTTP/1.1 the browser`,
  );
  console.log("has 6 connections, so of 16 calls 10 wait.");
}
