// The gateway in tests, in TypeScript.

import { Gateway, GatewayError, type Grade, type JournalEntry, type Session } from "gatewright/testing";

export async function play(): Promise<Grade | null> {
  const gateway: Gateway = await Gateway.start({ workers: 2, regions: ["eu"] });
  const session: Session = gateway.session("mine");
  await session.addFaults({ match: { op: "contacts.*" }, random: { p: 0.1, seed: 42 }, name: "some" });
  await session.client({ timeout: 1_000 }).get("/v1/contacts");
  const entries: JournalEntry[] = await session.journal({ op: "contacts.list" });
  const waits: (number | null | undefined)[] = entries.map((entry) => entry.told?.retry_after_ms);
  await gateway.stop().catch((error: unknown) => error instanceof GatewayError || waits);
  return (await session.verdict()).grade;
}
