r"""Whether a history of concurrent calls is that of one limiter asked one call after the other.

    python3 conformance/ratelimits/linearisable.py --program target/debug/gatewright-gateway \
        --race target/debug/examples/limit_race

A history has for each call when it was asked and when it was answered, by one clock, and what was answered. It
is linearisable if there is an order of the calls, in which no call comes before one that had been answered when
it was asked, and in which the oracle (gcra.py) gives the same answers.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from gateways import Caller, Gateway, Redis, scratch
from gcra import Limiter

if TYPE_CHECKING:
    from collections.abc import Iterator

CALL = {"op": "whoami", "path": "/v1/whoami", "tenant": "acme", "cred": "", "body": 0, "tokens": None}


class Model:
    """One limiter."""

    def __init__(self, limits: dict) -> None:
        self.limiter = Limiter(limits)

    def apply(self, call: dict, now: int) -> bool:
        """Whether the answer is what comes of this call at that instant; if so, it has come."""
        limiter, rate = self.limiter, self.limiter.rate
        before = (rate.level, rate.at, limiter.day, limiter.of_day, limiter.running)
        answer = limiter.decide(now, CALL)
        same = (
            answer["s"] == call["status"]
            and answer["h"]["ratelimit"] == call["left"]
            and call.get("wait_ns", answer["w"]) == answer["w"]
        )
        if not same:
            rate.level, rate.at, limiter.day, limiter.of_day, limiter.running = before
        return same

    def key(self) -> tuple:
        rate = self.limiter.rate
        return (rate.at * rate.count + rate.level, self.limiter.of_day)

    def copy(self) -> Model:
        other = Model(self.limiter.limits)
        rate, mine = other.limiter.rate, self.limiter.rate
        rate.level, rate.at = mine.level, mine.at
        other.limiter.day, other.limiter.of_day = self.limiter.day, self.limiter.of_day
        return other


def linearisable(history: list[dict], model: Model, most: int = 4_000_000) -> tuple[bool, int]:
    """Whether such an order exists, and how many steps that took. Depth first, with a memory of what failed."""
    history = sorted(history, key=lambda call: call["asked"])
    order = sorted(range(len(history)), key=lambda at: history[at]["answered"])
    steps = 0
    # Each: the model, which calls have come, the choices that are left there.
    failed: set = set()

    def tries(done: set[int], first: int, ending: int) -> Iterator[tuple[int, int]]:
        """A call that is let in, and an instant of it."""
        found = [at for at in choices(done, first, ending) if history[at]["status"] == 200]
        return ((at, now) for at in found for now in history[at]["nows"])

    def choices(done: set[int], first: int, ending: int) -> list[int]:
        """What may come next: whatever was asked before the first answer among those that have not come."""
        limit = history[order[ending]]["answered"]
        found, at = [], first
        while at < len(history) and history[at]["asked"] <= limit:
            if at not in done:
                found.append(at)
            at += 1
        return sorted(found, key=lambda at: history[at]["answered"])

    def settle(model: Model, done: set[int], first: int, ending: int) -> tuple[int, int]:
        """Refusals change nothing: one that fits now may as well come now."""
        while True:
            while first < len(history) and first in done:
                first += 1
            while ending < len(order) and order[ending] in done:
                ending += 1
            if ending == len(order):
                return first, ending
            fits = [
                at
                for at in choices(done, first, ending)
                if history[at]["status"] == 429 and any(model.apply(history[at], now) for now in history[at]["nows"])
            ]
            if not fits:
                return first, ending
            done.update(fits)

    stack = []
    done: set[int] = set()
    first, ending = settle(model, done, 0, 0)
    if ending == len(order):
        return True, steps
    stack.append((model, done, first, ending, tries(done, first, ending)))
    while stack:
        model, done, first, ending, left = stack[-1]
        for at, now in left:
            steps += 1
            if steps > most:
                raise AssertionError("undecided: too many steps")
            after = model.copy()
            if not after.apply(history[at], now):
                continue
            came = done | {at}
            next_first, next_ending = settle(after, came, first, ending)
            if next_ending == len(order):
                return True, steps
            mark = (next_first, frozenset(n for n in came if n >= next_first), after.key())
            if mark in failed:
                continue
            failed.add(mark)
            stack.append((after, came, next_first, next_ending, tries(came, next_first, next_ending)))
            break
        else:
            stack.pop()
    return False, steps


def race(race_program: str, place: str, processes: int, tasks: int, calls: int) -> str:
    """Processes that ask one store themselves, each call with an instant of its own."""
    caller = f"race-{time.time_ns()}"
    words = [race_program, place, caller, str(tasks // processes), str(calls)]
    running = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
    said = [json.loads(process.communicate(timeout=600)[0]) for process in running]
    history = [call | {"nows": [call["now"]]} for one in said for call in one["history"]]
    limits = {name: value for name, value in said[0]["limits"].items() if value is not None}
    return told(place, f"{processes} processes, {tasks} tasks", history, Model(limits))


def shown(call: dict, moves: list[dict], begin: int) -> list[int]:
    """What the clock of a call's gateway can have shown meanwhile: the instant is taken when the call
    comes, the decision is the store's later."""
    own = [{"answered": 0, "asked": 0, "to": begin}, *(move for move in moves if move["clock"] == call["clock"])]
    ends = [move["answered"] for move in own[1:]] + [call["answered"] + 1]
    return [
        move["to"]
        for move, end in zip(own, ends, strict=True)
        if move["asked"] <= call["answered"] and end >= call["asked"]
    ]


LIMITS = {"count": 7_000, "period_ms": 3_000, "burst": 90, "per_day": 1_000_000}


def over_http(program: str, place: str, processes: int, clients: int, calls: int) -> str:
    """Clients of one or more gateways whose clocks stand still, but for somebody who moves them meanwhile."""
    gateways = [Gateway(program, "--limits", place, "--limits-deadline-ms", "20000") for _ in range(processes)]
    try:
        session = f"race-{time.time_ns()}"
        for gateway in gateways:
            gateway.admin("POST", "clock", {"freeze": True}, session)
            gateway.admin("POST", "session", {"limits": LIMITS}, session)
        begin = max(gateway.admin("GET", "clock", session=session)["now_ms"] for gateway in gateways) + 1_000
        for gateway in gateways:
            gateway.admin("POST", "clock", {"advance_to_ms": begin}, session)
        history: list[dict] = []
        moves: list[dict] = []
        over = threading.Event()

        def client(number: int) -> None:
            which = number % processes
            caller = Caller(gateways[which], "sk_test_starter_acme", session)
            for _ in range(calls):
                asked = time.monotonic_ns()
                status, headers = caller.ask()
                seen = {"status": status, "left": headers["ratelimit"], "clock": str(which)}
                history.append({"asked": asked, "answered": time.monotonic_ns(), **seen})

        def mover() -> None:
            rng, now = random.Random(7), [begin] * processes
            while not over.is_set():
                which = rng.randrange(processes)
                now[which] += rng.randrange(1, 30)
                asked = time.monotonic_ns()
                gateways[which].admin("POST", "clock", {"advance_to_ms": now[which]}, session)
                moved = {"clock": str(which), "to": now[which] * 1_000_000}
                moves.append({"asked": asked, "answered": time.monotonic_ns(), **moved})
                time.sleep(0.005)

        moving = threading.Thread(target=mover)
        moving.start()
        with ThreadPoolExecutor(clients) as pool:
            list(pool.map(client, range(clients)))
        over.set()
        moving.join()
        for call in history:
            call["nows"] = shown(call, moves, begin * 1_000_000)
        return told(place, f"{processes} gateways, {clients} clients over HTTP", history, Model(LIMITS))
    finally:
        for gateway in gateways:
            gateway.__exit__()


def told(place: str, what: str, history: list[dict], model: Model) -> str:
    fresh = model.copy()
    fits, steps = linearisable(history, model)
    kind = place.split(":", maxsplit=1)[0]
    statuses = [call["status"] for call in history]
    assert fits, f"{kind}, {what}: no order of the {len(history)} calls gives these answers"
    # A checker that finds everything linearisable finds nothing out: one answer changed must be noticed.
    broken = [dict(call) for call in history]
    let_in = next(call for call in broken if call["status"] == 200)
    let_in["left"] = let_in["left"].replace(";r=", ";r=9")
    assert not linearisable(broken, fresh)[0], f"{kind}, {what}: a changed answer was not noticed"
    return (
        f"{kind}: {what}: {len(history)} calls ({statuses.count(200)} let in, {statuses.count(429)} refused) are "
        f"linearisable, {steps} steps"
    )


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--race", required=True)
    parser.add_argument("--tasks", type=int, default=64)
    parser.add_argument("--calls", type=int, default=40)
    chosen = parser.parse_args()
    with Redis() as redis:
        print(over_http(chosen.program, "memory", 1, chosen.tasks, chosen.calls))
        for place in (f"sqlite:{scratch('limits.db')}", redis.url):
            for processes in (1, 2):
                print(race(chosen.race, place, processes, chosen.tasks, chosen.calls))
                print(over_http(chosen.program, place, processes, chosen.tasks, chosen.calls))
                sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
