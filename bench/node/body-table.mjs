/**
 * Large bodies side by side, one at a time over loopback.
 *
 * Usage: node body-table.mjs URL ROUNDS CLIENTS, with bench-server at the URL.
 */

import { clients } from "./body-clients.mjs";
import { alternate, chosen, ROUND_SECONDS, versionOf } from "./rounds.mjs";

const WORKS = {
  "whole 1000000": "1 MB, read whole",
  "whole 50000000": "50 MB, read whole",
  "streamed 1000000": "1 MB, streamed",
  "streamed 50000000": "50 MB, streamed",
  "upload 1000000": "1 MB, uploaded",
};

const [url, rounds] = [process.argv[2], Number(process.argv[3])];
const names = chosen(clients, process.argv[4]);
const failed = [];
console.log("| Body | Client | MB/s | gatewright is | CPU ms per MB | peak memory, MB |");
console.log("|---|---|---:|---:|---:|---:|");
for (const [work, title] of Object.entries(WORKS)) {
  const megabytes = Number(work.split(" ")[1]) / 1e6;
  const { peers, broken } = await alternate(names, rounds, {
    clients: "./body-clients.mjs",
    url,
    work,
    atOnce: 1,
  });
  const ours = peers.find((peer) => peer.name === "gatewright");
  for (const peer of peers) {
    const rate = Math.round(megabytes / peer.perCall("seconds")).toLocaleString("en-US");
    const times = ours ? `${peer.timesAsLongAs(ours).toFixed(2)} times` : "?";
    const cpu = ((peer.perCall("cpu") * 1e3) / megabytes).toFixed(2);
    const name = peer.name + versionOf(peer.name.split(" ")[0]);
    console.log(`| ${title} | ${name} | ${rate} | ${times} | ${cpu} | ${Math.round(peer.peakMb)} |`);
  }
  failed.push(...broken.map((why) => `${title}: ${why}`));
}
console.log(
  `\nOne at a time, a process each, ${rounds} rounds of ${ROUND_SECONDS} s that alternate; medians of rounds.`,
);
for (const why of failed) console.log(`\n**Not measured: ${why}**`);
process.exitCode = failed.length > 0 ? 1 : 0;
