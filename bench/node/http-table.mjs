/**
 * HTTP clients side by side: a small JSON GET over loopback with the body decoded.
 *
 * Usage: node http-table.mjs URL ROUNDS CLIENTS AT_ONCE, with bench-server at the URL.
 */

import { clients } from "./http-clients.mjs";
import { alternate, chosen, ROUND_SECONDS, versionOf } from "./rounds.mjs";

const [url, rounds, atOnce] = [process.argv[2], Number(process.argv[3]), Number(process.argv[5])];
const names = chosen(clients, process.argv[4]);

/** `undici request` is of the package undici; fetch and http are Node's own. */
function titleOf(name) {
  if (name === "fetch") return `fetch (Node ${process.versions.node}, undici ${process.versions.undici})`;
  if (name === "http") return `http (Node ${process.versions.node})`;
  const version = versionOf(/^\w+/.exec(name)[0]);
  return name.includes(",") ? name : name + version;
}

const { peers, broken } = await alternate(names, rounds, { clients: "./http-clients.mjs", url, atOnce });
const ours = peers.find((peer) => peer.name === "gatewright");
const ratio = (peer) => peer.timesAsLongAs(ours ?? peers[0]);
const how = atOnce === 1 ? "one at a time" : `${atOnce} at once`;
console.log(
  `| GET of 250 bytes, decoded, ${how} | requests/s | gatewright is | CPU ms per 1000 requests | peak memory, MB |`,
);
console.log("|---|---:|---:|---:|---:|");
for (const peer of peers.sort((a, b) => ratio(a) - ratio(b))) {
  const rate = Math.round(1 / peer.perCall("seconds")).toLocaleString("en-US");
  const times = ours ? `${ratio(peer).toFixed(2)} times` : "?";
  const cpu = Math.round(peer.perCall("cpu") * 1e6);
  console.log(`| ${titleOf(peer.name)} | ${rate} | ${times} | ${cpu} | ${Math.round(peer.peakMb)} |`);
}
console.log(
  `\nA process each, ${rounds} rounds of ${ROUND_SECONDS} s that alternate; medians of rounds. CPU is the client's whole process.`,
);
for (const why of broken) console.log(`\n**Not measured: ${why}**`);
process.exitCode = broken.length > 0 ? 1 : 0;
