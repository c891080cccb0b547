/** Who is told how far an upload is. */

import type { UploadPosition } from "../types/shared.js";

type Told = (position: UploadPosition) => void;

const listeners = new Map<number, Told>();

/** The call is an upload whose progress is told. */
export function keepProgress(call: number, told: Told): void {
  listeners.set(call, told);
}

/** Tells of progress. */
export function tellProgress(call: number, { location, offset, length }: UploadPosition): void {
  listeners.get(call)?.({ location, offset, length });
}

/** The call is over. */
export function forgetProgress(call: number): void {
  if (listeners.size > 0) {
    listeners.delete(call);
  }
}
