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

/** Milliseconds that a program took as it saw it itself, with Node's own start left out; nothing where it fails. */
function timeWithin(code) {
  const timed = `const begun = performance.now(); ${code}; console.log(performance.now() - begun)`;
  const { status, stdout } = spawnSync(process.execPath, ["--no-warnings", "--input-type=commonjs", "-e", timed], {
    cwd: PROJECT,
    stdio: ["ignore", "pipe", "ignore"],
  });
  return status === 0 ? Number(stdout) : null;
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
const runs = PROGRAMS.flatMap((program) => [
  { program, kind: "within", took: [], run: () => timeWithin(program.require) },
  { program, kind: "require", took: [], run: () => timeOf("require", program.require) },
  { program, kind: "import", took: [], run: () => timeOf("import", program.import) },
]);
for (const { run } of runs) run();
for (let round = 0; round < rounds; round++) for (const { run, took } of runs) took.push(run());

const tookBy = (program, kind) => runs.find((run) => run.program === program && run.kind === kind).took;

/** Milliseconds on top of a bare process of the same kind; null where it cannot be loaded so. */
function extra(program, kind) {
  const bare = tookBy(PROGRAMS[0], kind);
  const took = tookBy(program, kind);
  return took.includes(null) ? null : median(took.map((time, at) => time - bare[at]));
}

console.log(
  "| Loaded | `require` itself, ms | process with `require`, ms | with `import`, ms | installed, MB | packages |",
);
console.log("|---|---:|---:|---:|---:|---:|");
for (const program of PROGRAMS.slice(1).sort((a, b) => extra(a, "import") - extra(b, "import"))) {
  const times = ["within", "require", "import"].map((kind) => extra(program, kind)?.toFixed(1) ?? "cannot");
  const weight = program.package ? installed(program.package) : " | ";
  const title = program.title + (program.package ? versionOf(program.package) : "");
  console.log(`| ${title} | ${times.join(" | ")} | ${weight} |`);
}
const [bare, bareModule] = ["require", "import"].map((kind) => median(tookBy(PROGRAMS[0], kind)).toFixed(0));
console.log(
  `\nMedians of ${rounds} rounds that alternate, each in a new process. The two columns in the middle are from the`,
);
console.log(
  `process's start to its end, on top of a bare node, which takes ${bare} ms, with modules ${bareModule} ms.`,
);
console.log("Installed is the package with all it depends on.");
