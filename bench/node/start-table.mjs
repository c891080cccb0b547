/**
 * What loading a package costs in a fresh process, and what it weighs on the disk.
 *
 * Usage: node start-table.mjs ROUNDS
 */

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { median, versionOf } from "./rounds.mjs";

const PROJECT = fileURLToPath(new URL("..", import.meta.url));
const NAMES = [
  "gatewright",
  "undici",
  "got",
  "axios",
  "ky",
  "openai",
  "stripe",
  "standardwebhooks",
  "svix",
  "@octokit/webhooks-methods",
];
const OPEN = "new Client('http://127.0.0.1:9')";

/** A title, and how the program is written in CommonJS and in modules. */
const PROGRAMS = [
  { title: "bare", require: "", import: "" },
  ...NAMES.map((name) => ({ title: name, package: name, require: `require('${name}')`, import: `import '${name}'` })),
  {
    title: "gatewright, and a client made",
    require: `const { Client } = require('gatewright'); ${OPEN}`,
    import: `import { Client } from 'gatewright'; ${OPEN}`,
  },
  { title: "gatewright/webhooks", require: "require('gatewright/webhooks')", import: "import 'gatewright/webhooks'" },
  { title: "fetch, first use (Node's own)", require: "fetch('data:,')", import: "fetch('data:,')" },
];

/** Milliseconds from starting a process to its end; nothing where it fails. */
function timeOf(kind, code) {
  const input = kind === "import" ? ["--input-type=module"] : ["--input-type=commonjs"];
  const begun = performance.now();
  const { status } = spawnSync(process.execPath, ["--no-warnings", ...input, "-e", code], {
    cwd: PROJECT,
    stdio: "ignore",
  });
  return status === 0 ? performance.now() - begun : null;
}

/** Where a package that `from` depends on is installed, as Node looks for it. */
function folderOf(name, from) {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name);
    if (existsSync(candidate)) return realpathSync(candidate);
    if (folder === dirname(folder)) return null;
  }
}

/** The folders of a package and of all that it needs. */
function withDependencies(folder, found = new Set()) {
  if (found.has(folder)) return found;
  found.add(folder);
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })) {
    const dependency = folderOf(name, folder);
    if (dependency) withDependencies(dependency, found);
  }
  return found;
}

/** All bytes below a folder, without packages inside of it, which are counted by themselves. */
function bytesOf(folder) {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && entry.name !== "node_modules") bytes += bytesOf(path);
    else if (entry.isFile()) bytes += statSync(path).size;
  }
  return bytes;
}

function installed(name) {
  const folders = [...withDependencies(folderOf(name, PROJECT))];
  const bytes = folders.reduce((sum, folder) => sum + bytesOf(folder), 0);
  return `${(bytes / 1e6).toFixed(2)} | ${folders.length}`;
}

const rounds = Number(process.argv[2]);
const times = PROGRAMS.flatMap((program) =>
  ["require", "import"].map((kind) => ({ program, kind, code: program[kind], took: [] })),
);
for (const { kind, code } of times) timeOf(kind, code);
for (let round = 0; round < rounds; round++) for (const { kind, code, took } of times) took.push(timeOf(kind, code));

/** Milliseconds on top of a bare process of the same kind; null where it cannot be loaded so. */
function extra(program, kind) {
  const took = (wanted) => times.find((time) => time.program === wanted && time.kind === kind).took;
  const bare = took(PROGRAMS[0]);
  const differences = took(program).map((time, at) => (time === null ? null : time - bare[at]));
  return differences.includes(null) ? null : median(differences);
}

console.log("| Loaded | `require`, ms on top of a bare node | `import`, ms | installed, MB | packages |");
console.log("|---|---:|---:|---:|---:|");
const inOrder = PROGRAMS.slice(1).sort((a, b) => extra(a, "import") - extra(b, "import"));
for (const program of inOrder) {
  const [asRequire, asImport] = ["require", "import"].map((kind) => extra(program, kind)?.toFixed(1) ?? "cannot");
  const weight = program.package ? installed(program.package) : " | ";
  const title = program.title + (program.package ? versionOf(program.package) : "");
  console.log(`| ${title} | ${asRequire} | ${asImport} | ${weight} |`);
}
const bare = ["require", "import"].map((kind) =>
  median(times.find((time) => time.program === PROGRAMS[0] && time.kind === kind).took).toFixed(0),
);
console.log(
  `\nFrom starting a process to its end, medians of ${rounds} rounds that alternate. A bare node takes ${bare[0]} ms, with modules ${bare[1]} ms.`,
);
console.log("Installed is the package with all it depends on.");
