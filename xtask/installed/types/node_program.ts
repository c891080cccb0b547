// What only `gatewright` for Node has: settings of the sockets, and the headers and bodies of Node's own server.

import type { IncomingMessage } from "node:http";
import { Client } from "gatewright";
import { Webhook } from "gatewright/webhooks";

export const client = new Client("https://api.example.com", {
  connectTimeout: 2_000,
  proxy: "http://proxy.example.com:3128",
  caCertificates: "-----BEGIN CERTIFICATE-----",
});
new Client("https://api.example.com", { proxy: false });

export function receive(request: IncomingMessage, body: Buffer): string | null {
  return new Webhook("whsec_c2VjcmV0").verify(body, request.headers).messageId;
}

export async function upload(body: Buffer, stream: IncomingMessage): Promise<number> {
  await client.post("/files", { body });
  return (await client.post("/files", { body: stream })).status;
}
