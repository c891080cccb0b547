/** Gets hold of a WebAssembly module: by its URL in browsers, out of a text where nothing can be loaded. */

/**
 * The module at `url`. Where what is there is no module (a dev server that moved this file answers with its page; a policy forbids the
 * request), it comes out of the text that `inline` loads.
 */
export async function moduleAt(url: URL, inline: () => Promise<{ default: string }>): Promise<WebAssembly.Module> {
  try {
    const response = await fetch(url);
    if (response.ok && response.headers.get("content-type") === "application/wasm") {
      // Compiles while it loads, and browsers keep what was compiled.
      return await WebAssembly.compileStreaming(response);
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (response.ok && isModule(bytes)) {
      return await WebAssembly.compile(bytes);
    }
  } catch {
    // The other way then; what is wrong with the module itself shows there.
  }
  return WebAssembly.compile(bytesOf((await inline()).default));
}

/** The module in a text, at once. */
export function moduleIn(base64: string): WebAssembly.Module {
  return new WebAssembly.Module(bytesOf(base64));
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    bytes[i] = text.charCodeAt(i);
  }
  return bytes;
}

/** Whether it begins as a module does: `\0asm`. */
function isModule(bytes: Uint8Array): boolean {
  return bytes[0] === 0 && bytes[1] === 0x61 && bytes[2] === 0x73 && bytes[3] === 0x6d;
}
