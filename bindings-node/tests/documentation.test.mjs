/** The guide and the README are true of the code. */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";

import { run } from "./child.mjs";
import { gateway } from "./gateway.mjs";
import { HERE, IS_WEB, NAME, nodeOnly, sdk } from "./package.mjs";

const package_ = dirname(createRequire(HERE).resolve(`${NAME}/package.json`));
const guide = join(process.env.GATEWRIGHT_DOCS ?? join(HERE, "..", "..", "docs"), "javascript.md");
const GUIDE = existsSync(guide) && !IS_WEB ? readFileSync(guide, "utf8") : undefined;
const README = IS_WEB ? "" : readFileSync(join(package_, "README.md"), "utf8");

const here = nodeOnly("the examples are Node's");
const withGuide = GUIDE === undefined && !IS_WEB ? { skip: "GATEWRIGHT_DOCS does not say where the guide is" } : here;

const examples = (text) => [...text.matchAll(/^```js\n([\s\S]*?)^```/gm)].map(([, example]) => example);

async function runs(example) {
  const { code, out, error } = await run(example.replaceAll("http://127.0.0.1:4010", gateway.url));
  assert.equal(error, "");
  assert.equal(code, 0);
  assert.notEqual(out, "");
}

for (const [number, example] of examples(README).entries()) {
  test(`example ${number + 1} of the README runs`, here, () => runs(example));
}

for (const [number, example] of examples(GUIDE ?? "").entries()) {
  test(`example ${number + 1} of the guide runs`, withGuide, () => runs(example));
}

/** The first cells of the table below a heading. */
function firstCells(heading) {
  const section = GUIDE.split(`## ${heading}\n`)[1].split("\n## ")[0];
  return [...section.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell]) =>
    [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name),
  );
}

test("every error is in the guide's table", withGuide, () => {
  const kinds = Object.keys(sdk).filter((name) => sdk[name]?.prototype instanceof sdk.GatewrightError);
  assert.deepEqual(firstCells("Errors").sort(), kinds.sort());
});

test("every setting and every option is in the guide's tables", withGuide, async () => {
  const types = readFileSync(join(package_, "types", "shared.d.ts"), "utf8");
  const members = (text, name) => {
    const body = new RegExp(`interface ${name}\\b[^{]*\\{([\\s\\S]*?)\\n *\\}`).exec(text)[1];
    return [...body.matchAll(/^ *readonly (\w+)\?:/gm)].map(([, member]) => member);
  };
  const node = readFileSync(join(package_, "types", "index.d.ts"), "utf8");
  const settings = [...members(types, "ClientOptions"), ...members(node, "ClientOptions")];
  assert.ok(settings.length > 15);
  assert.deepEqual(firstCells("Settings").sort(), settings.sort());
  const options = [...members(types, "RequestOptions"), ...members(types, "BodyOptions")];
  assert.ok(options.length > 8);
  assert.deepEqual(firstCells("Requests").sort(), options.sort());
});

test("the guide tells the defaults of retrying", withGuide, () => {
  const types = readFileSync(join(package_, "types", "shared.d.ts"), "utf8");
  const rules = types.split("export interface RetryOptions {")[1].split("\n}")[0];
  const defaults = [...rules.matchAll(/Default (\d+)\. \*\/\n {2}readonly (\w+)/g)];
  assert.equal(defaults.length, 5);
  for (const [, value, name] of defaults) {
    assert.ok(GUIDE.includes(`\`${name}\` ${value}`), name);
  }
});
