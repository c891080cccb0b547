"""Random steps, decided by the oracle (gcra.py) and by the gateway's limiters on one of its stores; all has to be
the same.

python3 conformance/ratelimits/steps.py --driver target/debug/examples/limit_steps --steps 1000000 --callers
2000
"""

from __future__ import annotations

import argparse
import json
import queue
import random
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

from gateways import Redis, scratch
from gcra import NS, Limiter

if TYPE_CHECKING:
    from collections.abc import Iterator

DIALECTS = (
    "draft10", "draft10", "draft07", "draft06", "draft05", "triple", "x-ratelimit", "github", "tyk", "apisix", "openai",
    "kong", "none", "malformed",
)  # fmt: skip
WAITS = ("seconds", "seconds", "http-date", "ms", "none", "malformed")
TIERS = (
    {"count": 3, "period_ms": 2_000, "burst": 3, "concurrency": 10},
    {"count": 60, "period_ms": 60_000, "burst": 10, "per_day": 1_000, "concurrency": 2},
    {"count": 600, "period_ms": 60_000, "burst": 50, "concurrency": 10},
    {"count": 6_000, "period_ms": 60_000, "burst": 300, "concurrency": 50},
    {"count": 60_000, "period_ms": 60_000, "burst": 3_000, "concurrency": 500},
)
OPS = ("contacts.list", "contacts.create", "users.get", "whoami")
MOST = 2**32 - 1
LONGEST_MS = 366 * 86_400_000


def number(rng: random.Random, most: int) -> int:
    """Small ones, large ones, and the largest."""
    if rng.random() < 0.04:
        return most
    return min(most, max(1, int(2 ** (rng.random() * most.bit_length()))))


def rate(rng: random.Random) -> dict:
    if rng.random() < 0.6:
        return {"count": rng.randint(1, 97), "period_ms": rng.randint(1, 7_000), "burst": rng.randint(1, 40)}
    return {"count": number(rng, MOST), "period_ms": number(rng, LONGEST_MS), "burst": number(rng, MOST)}


def limits(rng: random.Random) -> dict:
    if rng.random() < 0.4:
        return dict(rng.choice(TIERS))
    made = rate(rng)
    if rng.random() < 0.4:
        made["per_day"] = rng.choice((rng.randint(1, 60), number(rng, MOST)))
    if rng.random() < 0.5:
        made["concurrency"] = rng.randint(1, 6)
    return made


def policy(rng: random.Random, at: int) -> dict:
    made = {"name": f"p{at}", **rate(rng), "unit": rng.choice(("requests", "content-bytes", "tokens"))}
    made["partition"] = rng.choice(("tenant", "credential", "path"))
    if rng.random() < 0.3:
        del made["burst"]
    if rng.random() < 0.4:
        made["op"] = rng.choice(("contacts.*", "users.get", "*"))
    if rng.random() < 0.4:
        made["window"] = rng.choice(("rolling", "fixed"))
    return made


class Caller:
    """One limiter, its clock and what is in progress."""

    def __init__(self, rng: random.Random, at: int) -> None:
        self.rng, self.at = rng, at
        self.made = {
            "limits": limits(rng),
            "window": rng.choice(("rolling", "rolling", "fixed")),
            "policies": [policy(rng, n) for n in range(rng.choice((0, 0, 1, 3)))],
            "dialect": rng.choice(DIALECTS),
            "retry_after": rng.choice(WAITS),
            "pk": rng.random() < 0.3,
            "conc": rng.random() < 0.3,
        }
        self.oracle = Limiter(**self.made)
        self.now = rng.randint(0, 7_250_000_000) * NS + rng.randrange(NS)
        self.running: list[int] = []
        self.wait: int | None = None
        own = self.made["limits"]
        self.pace = max(1, own["period_ms"] * 1_000_000 // own["count"])
        self.calm = rng.random()

    def move(self) -> str:
        """Moves the clock; what has to come of it, where that is known beforehand."""
        rng = self.rng
        if self.wait is not None and rng.random() < 0.4:
            early = rng.random() < 0.3
            self.now += self.wait - (1 if early else 0)
            return "early" if early else "waited"
        kind = rng.random()
        if kind < 0.35:
            return ""
        if kind < 0.38:
            # Another gateway's clock, a little behind.
            self.now = max(0, self.now - rng.randrange(self.pace * 3 + 50))
        elif kind < 0.40:
            self.now += rng.randrange(self.pace * 50 + 86_400 * NS)
        else:
            self.now += rng.randrange(int(self.pace * (0.2 + 3 * self.calm)) + 2)
        self.now = min(self.now, 7_258_118_400 * NS)
        return ""

    def call(self) -> dict:
        rng = self.rng
        return {
            "op": rng.choice(OPS),
            "path": f"/v1/{rng.randrange(3)}",
            "tenant": f"t{self.at}",
            "cred": f"key-{rng.randrange(3)}",
            "body": rng.choice((0, 1, 5, rng.randrange(5_000), number(rng, 2**40))),
            "tokens": rng.choice((None, rng.randrange(100), number(rng, 2**40))),
        }


def steps(seed: int, wanted: int, callers: int) -> Iterator[tuple[str, dict | None]]:
    """Each step, and what has to be answered."""
    rng = random.Random(seed)
    made = [Caller(rng, at) for at in range(callers)]
    for caller in made:
        yield json.dumps({"make": caller.at, **caller.made}), None
    last_call: dict[int, dict] = {}
    for calls in range(wanted):
        caller = rng.choice(made)
        if caller.running and rng.random() < 0.45:
            ended = caller.running.pop(rng.randrange(len(caller.running)))
            caller.oracle.running -= 1
            yield json.dumps({"end": ended}), None
        known = caller.move()
        call = last_call[caller.at] if known else caller.call()
        answer = caller.oracle.decide(caller.now, call)
        if known and caller.now < 7_258_118_400 * NS:
            # A lone caller that waits exactly as long is let in; a nanosecond earlier it is not.
            crowded = "concurrency" in answer["v"]
            assert crowded or (answer["s"] == 200) == (known == "waited"), (known, caller.made, answer)
        if answer["s"] == 200:
            caller.running.append(calls)
            caller.wait = None
        else:
            only_time = "concurrency" not in answer["v"]
            caller.wait = answer["w"] if only_time and caller.now + answer["w"] < 7_258_118_400 * NS else None
        last_call[caller.at] = call
        yield json.dumps({"call": caller.at, "now": caller.now, **call}), answer


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--driver", required=True)
    parser.add_argument("--store", default="all", help="memory, sqlite:FILE, redis://…, or all with a Redis of its own")
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--callers", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    if chosen.store != "all":
        return compare(chosen, chosen.store)
    with Redis() as redis:
        places = ("memory", f"sqlite:{scratch('limits.db')}", redis.url)
        return max(compare(chosen, place) for place in places)


def compare(chosen: argparse.Namespace, store: str) -> int:
    started = time.monotonic()
    run = f"steps-{chosen.seed}-{time.time_ns()}"
    driver = subprocess.Popen([chosen.driver, store, run], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    expected: queue.Queue = queue.Queue(maxsize=200_000)
    refused: list[BaseException] = []

    def feed() -> None:
        try:
            for line, answer in steps(chosen.seed, chosen.steps, chosen.callers):
                if answer is not None:
                    expected.put((line, answer))
                driver.stdin.write(line + "\n")
        except BaseException as error:
            refused.append(error)
        finally:
            expected.put(None)
            driver.stdin.close()

    threading.Thread(target=feed, daemon=True).start()
    compared, statuses = 0, {200: 0, 429: 0}
    while (pair := expected.get()) is not None:
        line, answer = pair
        said = driver.stdout.readline()
        if not said:
            print(f"the driver ended after {compared} answers with {driver.wait()}")
            return 1
        said = json.loads(said)
        if said != answer:
            print(f"step {compared}: {line}\n  oracle  {json.dumps(answer)}\n  gateway {json.dumps(said)}")
            driver.kill()
            return 1
        statuses[answer["s"]] += 1
        compared += 1
    if refused:
        print(f"the oracle contradicts itself: {refused[0]!r}")
        return 1
    if driver.wait() != 0 or compared != chosen.steps:
        print(f"the driver ended with {driver.returncode} after {compared} answers")
        return 1
    took = time.monotonic() - started
    kind = store.split(":", maxsplit=1)[0]
    print(
        f"{kind}: {compared} decisions the same, headers and all ({statuses[200]} let in, {statuses[429]} refused), "
        f"{chosen.callers} callers, seed {chosen.seed}, {took:.0f} s",
        flush=True,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
