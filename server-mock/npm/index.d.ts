/**
 * The path of the gateway's program for this machine.
 *
 * @throws where there is none, with what to install.
 */
export function program(): string;
