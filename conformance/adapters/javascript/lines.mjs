// @ts-check
/** The line protocol on the standard streams of a Node program. */

/** @typedef {import("./host.mjs").Json} Json */

const NEWLINE = 0x0a;

/**
 * Hands over each line of the standard input as it comes, and writes what it is answered; ends with the input.
 *
 * @param {(request: Json) => Promise<Json>} answer
 */
export async function serve(answer) {
  /** @type {Uint8Array[]} */
  let begun = [];
  for await (const chunk of process.stdin) {
    let rest = /** @type {Buffer} */ (chunk);
    // Not node:readline, which also ends lines at U+2028, and JSON may have that in its texts.
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      const line = Buffer.concat([...begun, rest.subarray(0, end)]).toString();
      begun = [];
      rest = rest.subarray(end + 1);
      answer(JSON.parse(line)).then((answered) => process.stdout.write(`${JSON.stringify(answered)}\n`));
    }
    begun.push(rest);
  }
}
