/** How values show themselves to `console.log` in Node and in hosts that follow it. */

/** The name of the method that Node's `util.inspect` looks for. */
export const INSPECT: unique symbol = Symbol.for("nodejs.util.inspect.custom") as never;

/** `util.inspect`, as it is handed to that method. */
export type Inspect = (value: unknown, options?: object) => string;

/** Text of several lines, all but the first moved to the right. */
export function indent(text: string, by: number): string {
  return text.replaceAll("\n", `\n${" ".repeat(by)}`);
}

/** A value as `Name { member: … }`. */
export function shown(name: string, members: object, depth: number, options: object, inspect: Inspect): string {
  return depth < 0 ? `[${name}]` : `${name} ${inspect(members, options)}`;
}

/** Gives a class of errors its name, and its errors too: written out, since a bundler may shorten the names of classes. */
export function setName(kind: abstract new (...args: never[]) => Error, name: string): void {
  Object.defineProperty(kind, "name", { value: name, configurable: true });
  Object.defineProperty(kind.prototype, "name", { value: name, configurable: true, writable: true });
}
