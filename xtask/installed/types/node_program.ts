// What only `gatewright` for Node has: settings of the sockets, and the headers and bodies of Node's own server.

import { createServer, type IncomingMessage } from "node:http";
import { Client } from "gatewright";
import { Webhook } from "gatewright/webhooks";
import { expressWebhooks } from "gatewright/webhooks/express";
import { nextWebhooks } from "gatewright/webhooks/next";

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

const slack = new Webhook("8f742231b10e8888abcd99yyyzzz85a5", { scheme: "slack", url: "https://example.com" });
const handler = expressWebhooks<IncomingMessage>(slack, (verified, request) => [verified.json(), request.socket]);
export const server = createServer((request, response) => handler(request, response));
export const POST: (request: Request) => Promise<Response> = nextWebhooks(slack, (verified) => verified.text());
export const whole = (request: IncomingMessage, body: Buffer): object => slack.verify(body, request);
