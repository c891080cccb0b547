"""The same over HTTP: every answer of a gateway whose clock stands still is compared with the oracle, and a lone
client that waits as `Retry-After` says is let in, on every tier, in every dialect and form.

    python3 conformance/ratelimits/http_steps.py --program target/debug/gatewright-gateway --steps 4000
"""

from __future__ import annotations

import argparse
import email.utils
import random
import sys
import time

from gateways import Caller, Gateway, Redis, scratch
from gcra import MS, NS, Limiter
from steps import DIALECTS, TIERS

NAMES = ("tiny", "free", "starter", "pro", "enterprise")
FORMS = ("seconds", "http-date", "ms")
# What other headers there are says nothing of limits.
OURS = ("ratelimit", "x-ratelimit", "retry-after")
POLICIES = [
    {"name": "writes", "count": 7, "period_ms": 3_000, "op": "sink", "unit": "content-bytes", "burst": 9_000},
    {"name": "window", "count": 40, "period_ms": 5_000, "window": "fixed"},
]


def compared(gateway: Gateway, steps: int, seed: int) -> str:
    rng = random.Random(seed)
    let_in = refused = waited = calls = 0
    while calls < steps:
        at = rng.randrange(len(NAMES))
        session = f"http-{seed}-{time.time_ns()}"
        chosen = {
            "dialect": rng.choice(DIALECTS),
            "retry_after": rng.choice(FORMS),
            "window": rng.choice(("rolling", "rolling", "fixed")),
            "policies": rng.choice(([], POLICIES)),
        }
        gateway.admin("POST", "clock", {"freeze": True}, session)
        gateway.admin("POST", "session", chosen, session)
        now = (gateway.admin("GET", "clock", session=session)["now_ms"] + 1) * MS
        gateway.admin("POST", "clock", {"advance_to_ms": now // MS}, session)
        oracle = Limiter(TIERS[at], **chosen)
        caller = Caller(gateway, f"sk_test_{NAMES[at]}_acme", session)
        for _ in range(min(60, steps - calls)):
            body = rng.randbytes(rng.randrange(2_000)) if rng.random() < 0.5 else None
            call = {"op": "sink" if body is not None else "whoami", "path": "", "tenant": "acme", "cred": ""}
            call |= {"body": len(body or b""), "tokens": None}
            expected = oracle.decide(now, call)
            if expected["s"] == 200:
                # Whole answers have ended when they arrive.
                oracle.running -= 1
            status, headers = ask(caller, body)
            seen = {name: value for name, value in headers.items() if name.startswith(OURS)}
            assert (status, seen) == (expected["s"], expected["h"]), (chosen, call, expected, status, seen)
            calls += 1
            if status == 200:
                let_in += 1
                if rng.random() < 0.2:
                    now = moved(gateway, session, now, rng.randrange(1, 2_500))
                continue
            refused += 1
            # As a client does: by the header alone, rounded up as it is.
            now = moved(gateway, session, now, asked_ms(headers, now))
            oracle.decide(now, call)
            oracle.running = 0
            status, _ = ask(caller, body)
            assert status == 200, f"{NAMES[at]}, {chosen}: refused after waiting as told"
            waited += 1
    return f"{calls} answers over HTTP the same ({let_in} let in, {refused} refused); {waited} of {waited} waits helped"


def ask(caller: Caller, body: bytes | None) -> tuple[int, dict[str, str]]:
    return caller.ask() if body is None else caller.ask("POST", "/v1/sink", body)


def moved(gateway: Gateway, session: str, now: int, ms: int) -> int:
    gateway.admin("POST", "clock", {"advance_to_ms": now // MS + ms}, session)
    return now + ms * MS


def asked_ms(headers: dict[str, str], now: int) -> int:
    if "retry-after-ms" in headers:
        return int(headers["retry-after-ms"])
    text = headers["retry-after"]
    if text.isdigit():
        return int(text) * 1_000
    at = email.utils.parsedate_to_datetime(text).timestamp()
    return max(0, int(at * 1_000) - now // MS)


def tiers_and_dialects(gateway: Gateway) -> str:
    """Every tier in every dialect and every form of the wait."""
    waits = 0
    for at, tier in enumerate(NAMES):
        for dialect in dict.fromkeys(DIALECTS):
            for form in FORMS:
                session = f"waits-{tier}-{dialect}-{form}-{time.time_ns()}"
                # A tenth of the burst: what is claimed is the wait, not how often a call can be made.
                limits = TIERS[at] | {"burst": max(2, TIERS[at]["burst"] // 100)}
                gateway.admin("POST", "clock", {"freeze": True}, session)
                chosen = {"dialect": dialect, "retry_after": form, "limits": limits}
                gateway.admin("POST", "session", chosen, session)
                now = (gateway.admin("GET", "clock", session=session)["now_ms"] + 1) * MS
                gateway.admin("POST", "clock", {"advance_to_ms": now // MS}, session)
                caller = Caller(gateway, f"sk_test_{tier}_acme", session)
                refusals = 0
                while refusals < 2:
                    status, headers = caller.ask()
                    if status == 429:
                        refusals += 1
                        now = moved(gateway, session, now, asked_ms(headers, now))
                        status, _ = caller.ask()
                        assert status == 200, (tier, dialect, form)
                        waits += 1
    return f"{waits} waits on {len(NAMES)} tiers, {len(set(DIALECTS))} dialects, {len(FORMS)} forms: all helped"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--steps", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    assert NS == 1_000 * MS
    with Redis() as redis:
        for place in ("memory", f"sqlite:{scratch('limits.db')}", redis.url):
            kind = place.split(":", maxsplit=1)[0]
            with Gateway(chosen.program, "--limits", place, "--limits-deadline-ms", "20000") as gateway:
                print(f"{kind}: {compared(gateway, chosen.steps, chosen.seed)}")
                print(f"{kind}: {tiers_and_dialects(gateway)}")
                sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
