/** The program bench-server, which all clients are measured against, in a process of its own. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** Starts it and tells its URL once it is ready. `stop` ends it; so does the end of this process. */
export async function startServer(program, args = []) {
  const server = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  const [url] = await Promise.race([
    once(createInterface({ input: server.stdout }), "line"),
    once(server, "exit").then(([code]) => {
      throw new Error(`${program} ended before it was ready: exit code ${code}`);
    }),
  ]);
  return { url, stop: () => server.stdin.end() };
}
