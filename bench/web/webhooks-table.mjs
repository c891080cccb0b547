/** Webhook verifications a second in one page, beside another library and WebCrypto. */

import { median, versionOf } from "../node/rounds.mjs";
import { withPage } from "./chromium.mjs";

const ROUND_SECONDS = 0.05;
const SIZES = { "256 B": 256, "2 kB": 2_000, "20 kB": 20_000, "1 MB": 1_000_000 };
/** What arrives: how many signatures by other keys come first, and whether one that fits follows. */
const SITUATIONS = [
  { title: "valid", others: 0, fits: true },
  { title: "valid, the last of three signatures", others: 2, fits: true },
  { title: "refused", others: 1, fits: false },
];
const OURS = "gatewright-web";

/** The seconds that a verification took, round by round, by what verified. */
async function measure(page, situation, size, rounds) {
  const names = await page.evaluate((asked) => globalThis.prepare(asked), { ...situation, size });
  const run = (name, count) => page.evaluate(([name, count]) => globalThis.round(name, count), [name, count]);
  const warm = size < 100_000 ? 1_000 : 10;
  const counts = {};
  for (const name of names) {
    await run(name, warm);
    counts[name] = Math.max(1, Math.round(ROUND_SECONDS / (await run(name, warm))));
  }
  const times = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : [...names].reverse()) times[name].push(await run(name, counts[name]));
  }
  return times;
}

/** Prints the tables. */
export async function webhooksTable({ browser, url, rounds, project }) {
  const all = await withPage(browser, `${url}/site/webhooks.html`, {}, async (page) => {
    const tables = [];
    for (const situation of SITUATIONS) {
      const measured = [];
      for (const size of Object.values(SIZES)) measured.push(await measure(page, situation, size, rounds));
      tables.push(measured);
    }
    return tables;
  });
  const titles = Object.keys(SIZES).map((size) => `${size}, /s | times as long`);
  for (const [at, measured] of all.entries()) {
    console.log(`| ${SITUATIONS[at].title} | ${titles.join(" | ")} |`);
    console.log(`|---|${"---:|---:|".repeat(titles.length)}`);
    for (const name of Object.keys(measured[0])) {
      const columns = measured.map((times) => {
        const ratio = median(times[name].map((time, round) => time / times[OURS][round]));
        return `${Math.round(1 / median(times[name])).toLocaleString("en-US")} | ${ratio.toFixed(2)}`;
      });
      console.log(`| ${name}${versionOf(name, project)} | ${columns.join(" | ")} |`);
    }
    console.log();
  }
  console.log(
    `One page, ${rounds} rounds of ${ROUND_SECONDS} s that alternate; medians of rounds. Nothing is decoded.`,
  );
  console.log("WebCrypto is asked one verification after the other, as a receiver would.");
}
