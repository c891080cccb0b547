// @ts-check
/** Finds an installed package's entries as its exports map has them, from any project's folder. */

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

/** @typedef {string | { [condition: string]: Exports } | null | undefined} Exports */

/**
 * `--project DIR`, the folder whose `node_modules` has the package; `--worker` where there is a choice.
 *
 * @returns {{ project: string, worker: boolean }}
 */
export function readArguments() {
  const { values } = parseArgs({ options: { project: { type: "string" }, worker: { type: "boolean" } } });
  if (values.project === undefined) {
    throw new Error("give --project DIR, a folder in which the package is installed");
  }
  return { project: values.project, worker: values.worker ?? false };
}

export class Package {
  /**
   * @param {string} project
   * @param {string} name
   */
  constructor(project, name) {
    this.folder = join(project, "node_modules", name);
    this.json = JSON.parse(readFileSync(join(this.folder, "package.json"), "utf8"));
    this.label = `${name} ${this.json.version}`;
  }

  /**
   * The file of an entry (`.` or `./webhooks`), relative to the package's folder, under these conditions.
   *
   * @param {string} entry
   * @param {string[]} conditions
   * @returns {string}
   */
  entry(entry, conditions) {
    const file = choose(this.json.exports[entry], [...conditions, "default"]);
    if (file === undefined) {
      throw new Error(`${this.label} exports no ${entry} for ${conditions.join(", ")}`);
    }
    return file;
  }

  /**
   * Imports an entry as an ECMAScript module of Node does.
   *
   * @param {string} entry
   * @returns {Promise<any>}
   */
  import(entry) {
    return import(pathToFileURL(join(this.folder, this.entry(entry, ["node", "import"]))).href);
  }
}

/**
 * @param {Exports} exports
 * @param {string[]} conditions
 * @returns {string | undefined}
 */
function choose(exports, conditions) {
  if (typeof exports === "string") {
    return exports;
  }
  for (const [condition, inner] of Object.entries(exports ?? {})) {
    const file = conditions.includes(condition) ? choose(inner, conditions) : undefined;
    if (file !== undefined) {
      return file;
    }
  }
  return undefined;
}

/** This module's folder, with all the others that both hosts share. */
export const HERE = dirname(new URL(import.meta.url).pathname);
