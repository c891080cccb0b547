/**
 * One client in a process of its own: told how many calls to make, it says what they took.
 *
 * Usage: node peer.mjs MODULE CLIENT URL WORK AT_ONCE; then a number of calls on each line of standard input.
 */

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const [module, name, url, work, atOnce] = process.argv.slice(2);
const { clients } = await import(new URL(module, import.meta.url).href);
const call = await clients[name](url, work);

/** Peak resident memory. Where there is no /proc, `maxRSS`, which begins with what the parent process had. */
function peakMb() {
  try {
    const found = /VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"));
    if (found) return Number(found[1]) / 1024;
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS / 1024;
}

async function share(calls) {
  for (let n = 0; n < calls; n++) await call();
}

for await (const line of createInterface({ input: process.stdin })) {
  const each = Math.max(1, Math.round(Number(line) / Number(atOnce)));
  const cpuBefore = process.cpuUsage();
  const begun = performance.now();
  await Promise.all(Array.from({ length: Number(atOnce) }, () => share(each)));
  const seconds = (performance.now() - begun) / 1e3;
  // User and system time of the whole process, all its threads.
  const cpu = process.cpuUsage(cpuBefore);
  const round = { calls: each * Number(atOnce), seconds, cpu: (cpu.user + cpu.system) / 1e6, peakMb: peakMb() };
  process.stdout.write(`${JSON.stringify(round)}\n`);
}
// Connections end with the process: how a client is closed is not measured, and each is closed in another way.
process.exit(0);
