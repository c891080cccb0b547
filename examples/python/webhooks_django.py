# Run it: python webhooks_django.py    (needs django; to serve it: python webhooks_django.py runserver)
"""Django receives webhooks of Stripe, GitHub and a sender by Standard Webhooks, each message once; all of it in one
file."""

from __future__ import annotations

import logging
import os
import sys

import django
from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from gatewright.webhooks import MemoryReplayGuard, Signer, Verified, Webhook
from gatewright.webhooks.django import receive

STRIPE = os.environ.get("STRIPE_WEBHOOK_SECRET", "whsec_5f3c2b1a09f8e7d6")
GITHUB = os.environ.get("GITHUB_WEBHOOK_SECRET", "It's a Secret to Everybody")
BILLING = os.environ.get("BILLING_WEBHOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

guard = MemoryReplayGuard()  # one process; RedisReplayGuard or SqlReplayGuard for several


# Stripe signs each retry anew: the event's own id knows it again.
@receive(Webhook(STRIPE, scheme="stripe"), guard=guard, message_id=lambda verified: verified.json()["id"])
def stripe(request: HttpRequest, verified: Verified) -> HttpResponse:
    return HttpResponse(f"{request.path} got {verified.json()['type']}")


@receive(Webhook(GITHUB, scheme="github"), guard=guard)
def github(request: HttpRequest, verified: Verified) -> HttpResponse:
    return HttpResponse(f"{request.path} got {verified.json()['action']}")


@receive(Webhook(BILLING), guard=guard)
async def billing(request: HttpRequest, verified: Verified) -> HttpResponse:
    return HttpResponse(f"{request.path} got {verified.json()['type']}")


urlpatterns = [path("hooks/stripe", stripe), path("hooks/github", github), path("hooks/billing", billing)]


# ---- What follows is a project's settings, and plays the senders.


def play() -> None:
    logging.basicConfig(format="   log of %(name)s: %(message)s")
    client = Client()

    def send(what: str, path: str, body: bytes, headers: dict[str, str], expected: int = 200) -> None:
        answer = client.post(path, data=body, content_type="application/json", headers=headers)
        print(f"{what}: {answer.status_code} {answer.content.decode()}")
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
    settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], DEBUG=False, SECRET_KEY="for this example alone")
    django.setup()
    if len(sys.argv) > 1:
        execute_from_command_line(sys.argv)
    else:
        play()
