"""Webhook verification side by side: what one delivery costs whoever receives it.

All do the same: check the timestamp and the signature (HMAC-SHA256), and decode nothing. The floor is the HMAC alone.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib.metadata
import json
import statistics
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 31
ROUND_SECONDS = 0.05

SECRET_BYTES = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(SECRET_BYTES).decode()
MESSAGE_ID = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"


def body_of(size: int) -> bytes:
    """A JSON event of exactly `size` bytes."""
    event = {"type": "contact.created", "data": {"id": "ct_000001", "note": ""}}
    event["data"]["note"] = "x" * (size - len(json.dumps(event)))
    return json.dumps(event).encode()


def candidates(body: bytes) -> dict[str, Callable[[], object]]:
    """What verifies `body`, by name."""
    import standardwebhooks
    import stripe
    import svix.webhooks

    import gatewright.webhooks

    timestamp = str(int(time.time()))
    signed = f"{MESSAGE_ID}.{timestamp}.".encode() + body
    signature = "v1," + base64.b64encode(hmac.digest(SECRET_BYTES, signed, "sha256")).decode()
    headers = {"webhook-id": MESSAGE_ID, "webhook-timestamp": timestamp, "webhook-signature": signature}

    stripe_signed = f"{timestamp}.".encode() + body
    stripe_signature = hmac.new(SECRET.encode(), stripe_signed, hashlib.sha256).hexdigest()
    stripe_header = f"t={timestamp},v1={stripe_signature}"

    ours = gatewright.webhooks.Webhook(SECRET)
    standard = standardwebhooks.Webhook(SECRET)
    of_svix = svix.webhooks.Webhook(SECRET)
    of_stripe = stripe.WebhookSignature
    return {
        "gatewright": lambda: ours.verify(body, headers),
        "standardwebhooks": lambda: standard.verify(body, headers, json_parse=False),
        "svix": lambda: of_svix.verify(body, headers),
        "stripe": lambda: of_stripe.verify_header(body, stripe_header, SECRET, 300),
        "floor: hmac.digest": lambda: hmac.digest(SECRET_BYTES, signed, "sha256"),
    }


def time_of(call: Callable[[], object], count: int) -> float:
    """Seconds for one call, over `count` of them."""
    begun = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - begun) / count


def measure(size: int) -> dict[str, float]:
    """Median seconds for one verification of a body of `size` bytes, by name."""
    calls = candidates(body_of(size))
    counts = {name: max(1, int(ROUND_SECONDS / time_of(call, 200))) for name, call in calls.items()}
    rounds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            rounds[name].append(time_of(call, counts[name]))
    return {name: statistics.median(times) for name, times in rounds.items()}


def main() -> None:
    """Prints the table."""
    small, large = measure(1_000), measure(20_000)
    print("| One verification | 1 kB, µs | gatewright is | 20 kB, µs | gatewright is |")
    print("|---|---:|---:|---:|---:|")
    for name in sorted(small, key=small.__getitem__):
        version = "" if name.startswith("floor") else " " + importlib.metadata.version(name)
        columns = [f"{m[name] * 1e6:.2f} | {m[name] / m['gatewright']:.2f} times" for m in (small, large)]
        print(f"| {name}{version} | {' | '.join(columns)} |")
    print(f"\nOne process, {ROUNDS} rounds of {ROUND_SECONDS} s that alternate; medians of rounds. Nothing is decoded.")


if __name__ == "__main__":
    sys.exit(main())
