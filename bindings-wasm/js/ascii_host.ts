/** International host names: the module has no Unicode tables, so that it is small; the host's `URL` has them. */

const ABSOLUTE = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*[^\0-\x7f]/i;

/** A URL whose host name has other letters than ASCII's, with that name in ASCII (Punycode). All else is left as it is. */
export function asciiHost(url: string): string {
  return ABSOLUTE.test(url) && URL.canParse(url) ? new URL(url).href : url;
}

/** The same for the origins in a client's settings (JSON). */
export function asciiOrigins(settings: string): string {
  if (!settings.includes('"allowedOrigins"')) {
    return settings;
  }
  const read = JSON.parse(settings) as { allowedOrigins: string[] };
  return JSON.stringify({ ...read, allowedOrigins: read.allowedOrigins.map(asciiHost) });
}
