"""Webhook verification side by side: what one delivery costs whoever receives it.

All do the same: check the timestamp and the signature (HMAC-SHA256), and decode nothing. The floor is the HMAC alone.

Usage: python webhook_table.py [ROUNDS]
"""

from __future__ import annotations

import base64
import hmac
import importlib.metadata
import json
import statistics
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 31
ROUND_SECONDS = 0.05
SIZES = {"256 B": 256, "2 kB": 2_000, "20 kB": 20_000, "1 MB": 1_000_000}

SECRET_BYTES = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(SECRET_BYTES).decode()
MESSAGE_ID = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"


class Situation(NamedTuple):
    """What arrives: the keys of its signatures, in order, and whether one of them fits."""

    title: str
    others: int
    fits: bool


SITUATIONS = [
    Situation("valid", 0, fits=True),
    Situation("valid, the last of three signatures", 2, fits=True),
    Situation("refused", 1, fits=False),
]


def body_of(size: int) -> bytes:
    """A JSON event of exactly `size` bytes."""
    event = {"type": "contact.created", "data": {"id": "ct_000001", "note": ""}}
    event["data"]["note"] = "x" * (size - len(json.dumps(event)))
    return json.dumps(event).encode()


def signatures(key: bytes, signed: bytes, situation: Situation) -> list[bytes]:
    """As many signatures by other keys as there should be, then the one that fits."""
    keys = [bytes([n]) * 32 for n in range(situation.others)]
    return [hmac.digest(each, signed, "sha256") for each in [*keys, *([key] if situation.fits else [])]]


def expecting(call: Callable[[], object], refusal: type[Exception], situation: Situation) -> Callable[[], bool]:
    """The call, and that it ends as it should."""

    def verify() -> bool:
        call()
        return True

    def refuse() -> bool:
        try:
            call()
        except refusal:
            return True
        return False

    return verify if situation.fits else refuse


def candidates(body: bytes, situation: Situation) -> dict[str, Callable[[], bool]]:
    """What verifies `body`, by name."""
    import standardwebhooks
    import stripe
    import svix.webhooks

    import gatewright.webhooks

    timestamp = str(int(time.time()))
    signed = f"{MESSAGE_ID}.{timestamp}.".encode() + body
    tokens = [f"v1,{base64.b64encode(each).decode()}" for each in signatures(SECRET_BYTES, signed, situation)]
    headers = {"webhook-id": MESSAGE_ID, "webhook-timestamp": timestamp, "webhook-signature": " ".join(tokens)}
    stripe_tokens = signatures(SECRET.encode(), f"{timestamp}.".encode() + body, situation)
    stripe_header = ",".join([f"t={timestamp}", *(f"v1={each.hex()}" for each in stripe_tokens)])

    ours = gatewright.webhooks.Webhook(SECRET)
    standard = standardwebhooks.Webhook(SECRET)
    of_svix = svix.webhooks.Webhook(SECRET)
    of_stripe = stripe.WebhookSignature
    calls: dict[str, tuple[Callable[[], object], type[Exception]]] = {
        "gatewright": (lambda: ours.verify(body, headers), gatewright.webhooks.WebhookVerificationError),
        "standardwebhooks": (
            lambda: standard.verify(body, headers, json_parse=False),
            standardwebhooks.WebhookVerificationError,
        ),
        "svix": (lambda: of_svix.verify(body, headers), svix.webhooks.WebhookVerificationError),
        "stripe": (
            lambda: of_stripe.verify_header(body, stripe_header, SECRET, 300),
            stripe.SignatureVerificationError,
        ),
    }
    found = {name: expecting(call, refusal, situation) for name, (call, refusal) in calls.items()}
    found["floor: hmac.digest"] = lambda: bool(hmac.digest(SECRET_BYTES, signed, "sha256"))
    return found


def time_of(call: Callable[[], bool], count: int) -> float:
    """Seconds for one call, over `count` of them."""
    begun = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - begun) / count


def measure(size: int, situation: Situation, rounds: int) -> dict[str, list[float]]:
    """Seconds for one verification of a body of `size` bytes, round by round, by name."""
    calls = candidates(body_of(size), situation)
    for name, call in calls.items():
        if not call():
            sys.exit(f"{name} does not answer as it should: {situation.title}, {size} bytes")
    warm = 200 if size < 100_000 else 10
    counts = {name: max(1, int(ROUND_SECONDS / time_of(call, warm))) for name, call in calls.items()}
    times: dict[str, list[float]] = {name: [] for name in calls}
    for at in range(rounds):
        names = list(calls)
        for name in names if at % 2 == 0 else reversed(names):
            times[name].append(time_of(calls[name], counts[name]))
    return times


def cell(times: list[float], ours: list[float]) -> str:
    """Verifications a second, and how many times as long one takes as ours."""
    ratio = statistics.median(one / other for one, other in zip(times, ours, strict=True))
    return f"{1 / statistics.median(times):,.0f} | {ratio:.2f}"


def main() -> None:
    """Prints the tables."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    for situation in SITUATIONS:
        measured = [measure(size, situation, rounds) for size in SIZES.values()]
        print(f"| {situation.title} | " + " | ".join(f"{size}, /s | times as long" for size in SIZES) + " |")
        print("|---|" + "---:|---:|" * len(SIZES))
        for name in measured[0]:
            version = "" if name.startswith("floor") else " " + importlib.metadata.version(name)
            columns = [cell(times[name], times["gatewright"]) for times in measured]
            print(f"| {name}{version} | {' | '.join(columns)} |")
        print()
    print(f"One process, {rounds} rounds of {ROUND_SECONDS} s that alternate; medians of rounds. Nothing is decoded.")


if __name__ == "__main__":
    sys.exit(main())
