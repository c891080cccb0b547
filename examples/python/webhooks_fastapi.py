# Run it: python webhooks_fastapi.py    (needs fastapi and httpx2; to serve it: uvicorn webhooks_fastapi:app)
"""FastAPI receives webhooks of Stripe, GitHub and a sender by Standard Webhooks, each message once."""

from __future__ import annotations

import logging
import os
import sys

from fastapi import FastAPI
from fastapi.testclient import TestClient

from gatewright.webhooks import MemoryReplayGuard, Signer, Verified, Webhook
from gatewright.webhooks.fastapi import receive

STRIPE = os.environ.get("STRIPE_WEBHOOK_SECRET", "whsec_5f3c2b1a09f8e7d6")
GITHUB = os.environ.get("GITHUB_WEBHOOK_SECRET", "It's a Secret to Everybody")
BILLING = os.environ.get("BILLING_WEBHOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

app = FastAPI()
guard = MemoryReplayGuard()  # one process; RedisReplayGuard or SqlReplayGuard for several


@app.post("/hooks/stripe")
# Stripe signs each retry anew: the event's own id knows it again.
@receive(Webhook(STRIPE, scheme="stripe"), guard=guard, message_id=lambda verified: verified.json()["id"])
async def stripe(verified: Verified) -> dict[str, str]:
    return {"got": verified.json()["type"]}


@app.post("/hooks/github")
@receive(Webhook(GITHUB, scheme="github"), guard=guard)
async def github(verified: Verified) -> dict[str, str]:
    return {"got": verified.json()["action"]}


@app.post("/hooks/billing")
@receive(Webhook(BILLING), guard=guard)
async def billing(verified: Verified) -> dict[str, str]:
    return {"got": verified.json()["type"]}


# ---- What follows plays the senders.


def play() -> None:
    logging.basicConfig(format="   log of %(name)s: %(message)s")
    client = TestClient(app)

    def send(what: str, path: str, body: bytes, headers: dict[str, str], expected: int = 200) -> None:
        answer = client.post(path, content=body, headers=headers)
        print(f"{what}: {answer.status_code} {answer.text}")
        if answer.status_code != expected:
            sys.exit(f"expected {expected}")

    event = b'{"id": "evt_1", "type": "invoice.paid"}'
    signed = Signer(STRIPE, scheme="stripe").sign_request(event).headers
    send("Stripe", "/hooks/stripe", event, signed)
    send("Stripe, again", "/hooks/stripe", event, signed)
    push = b'{"action": "opened"}'
    signed = Signer(GITHUB, scheme="github").sign_request(push).headers
    send("GitHub", "/hooks/github", push, signed)
    paid = b'{"type": "user.created"}'
    signed = Signer(BILLING).sign(paid, message_id="msg_1")
    send("Standard Webhooks", "/hooks/billing", paid, signed)
    send("A body that was written again", "/hooks/billing", paid.replace(b" ", b""), signed, expected=400)


if __name__ == "__main__":
    play()
