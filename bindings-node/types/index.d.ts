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
    /** Public keys (`sha256/` and base64), of which the base URL's host must show one in its chain: else a `TlsError`. */
    readonly pins?: readonly string[];
  }

  interface Client {
    /**
     * Downloads into a file, which is there once it is whole; what came of an earlier run is gone on with.
     * @throws {PreconditionFailedError | DecodeError} where the server has another version, or another digest.
     */
    downloadTo(path: string, file: string | URL, options?: DownloadOptions): Promise<Downloaded>;
    /** Uploads a file, which is read piece by piece. */
    upload(
      path: string,
      source: UploadInput | { readonly file: string | URL },
      options?: UploadOptions,
    ): Promise<Uploaded>;
  }
}
