/** The public types of `gatewright`, the package for Node: those of both packages, and the settings that only Node's has. */

export * from "./shared.js";
export * from "./webhooks.js";

declare module "./shared.js" {
  interface ClientOptions {
    /** For connecting: name, TCP and TLS. Default 5000. */
    readonly connectTimeout?: number | null;
    /** A proxy's URL, or `false` for none. Default: the environment's (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`). */
    readonly proxy?: string | URL | false;
    /** Certificates to trust beside the system's, in PEM: text, or a file's bytes. */
    readonly caCertificates?: string | Uint8Array;
  }
}
