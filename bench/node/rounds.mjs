/**
 * Rounds that alternate between peers, each in a process of its own, so that a busy machine disturbs all of them
 * alike; medians of rounds.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** How long a round of one peer should take, in seconds. */
export const ROUND_SECONDS = 0.25;

const PEER = fileURLToPath(new URL("peer.mjs", import.meta.url));
/** A round takes a fraction of a second; a peer that takes so long hangs. */
const ROUND_WITHIN_MS = 60_000;
const ENDS_WITHIN_MS = 10_000;

/** The middle of the values. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The version that is installed in a project, with a space before it; nothing for what is no package. */
export function versionOf(name, project = fileURLToPath(new URL("..", import.meta.url))) {
  try {
    const manifest = readFileSync(join(project, "node_modules", name, "package.json"), "utf8");
    return ` ${JSON.parse(manifest).version}`;
  } catch {
    return "";
  }
}

/** A client's process and the rounds it has run. */
export class Peer {
  /** What each round took: `{calls, seconds, cpu, peakMb}`. */
  rounds = [];

  /** Starts the client `name` of a module of clients, and warms it up until it knows how many calls make a round. */
  static async start(name, { clients, url, work, atOnce }) {
    const peer = new Peer(name, [PEER, clients, name, url, work ?? "", String(atOnce)]);
    let round = await peer.#run(atOnce);
    for (const seconds of [ROUND_SECONDS, 2 * ROUND_SECONDS, ROUND_SECONDS]) {
      peer.calls = Math.max(atOnce, Math.round((round.calls / round.seconds) * seconds));
      if (seconds !== ROUND_SECONDS || peer.calls > round.calls) round = await peer.#run(peer.calls);
    }
    return peer;
  }

  constructor(name, command) {
    this.name = name;
    this.process = spawn(process.execPath, command, { stdio: ["pipe", "pipe", "inherit"] });
    this.ended = once(this.process, "exit");
    // A peer that ended breaks the pipe; its missing answer tells of it.
    this.process.stdin.on("error", () => {});
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
  }

  /** One round more. */
  async round() {
    this.rounds.push(await this.#run(this.calls));
  }

  /** Lets the process end; one that does not is ended. */
  async stop() {
    this.process.stdin.end();
    const late = setTimeout(() => this.process.kill("SIGKILL"), ENDS_WITHIN_MS);
    await this.ended;
    clearTimeout(late);
  }

  /** The median over rounds of one of their figures, for each call. */
  perCall(figure) {
    return median(this.rounds.map((round) => round[figure] / round.calls));
  }

  /** The median, over rounds that ran side by side, of how many times as long as `other` a call took. */
  timesAsLongAs(other) {
    const perCall = (round) => round.seconds / round.calls;
    return median(this.rounds.map((round, at) => perCall(round) / perCall(other.rounds[at])));
  }

  /** The most memory the process ever had. */
  get peakMb() {
    return this.rounds.at(-1).peakMb;
  }

  async #run(calls) {
    this.process.stdin.write(`${calls}\n`);
    const hung = setTimeout(() => this.process.kill("SIGKILL"), ROUND_WITHIN_MS);
    const { value, done } = await this.lines.next();
    clearTimeout(hung);
    if (done) {
      const [code, signal] = await this.ended;
      throw new Error(`${this.name} ended: ${signal ?? `exit code ${code}`}`);
    }
    return JSON.parse(value);
  }
}

/** The names of the clients that begin with one of `asked`, which is a list with commas; all where it is empty. */
export function chosen(clients, asked) {
  const starts = asked.split(",");
  return Object.keys(clients).filter((name) => starts.some((start) => name.startsWith(start)));
}

/** Starts all, runs the rounds and ends all. Those that could not be measured are told in `broken`, in words. */
export async function alternate(names, rounds, setting) {
  const peers = [];
  const broken = [];
  for (const name of names) {
    try {
      peers.push(await Peer.start(name, setting));
    } catch (error) {
      broken.push(error.message);
    }
  }
  for (let round = 0; round < rounds; round++) {
    // Nobody always comes after the same neighbour's garbage.
    for (const peer of round % 2 === 0 ? peers : [...peers].reverse()) await peer.round();
  }
  for (const peer of peers) await peer.stop();
  return { peers, broken };
}
