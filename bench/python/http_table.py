"""HTTP clients side by side: a small JSON GET over loopback with the body decoded.

Usage: python http_table.py {sync|async} URL, with bench-server at the URL. Every client runs in a process of its own;
rounds alternate, so that a busy machine disturbs all alike.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from http_peer import ASYNC, SYNC

ROUNDS = 31
ROUND_SECONDS = 0.25
WARM_UP_CALLS = 320


class Peer:
    """A client's process and the rounds it has run."""

    def __init__(self, kind: str, name: str, url: str) -> None:
        script = str(Path(__file__).with_name("http_peer.py"))
        self.name = name
        self.rounds: list[dict[str, float]] = []
        self._process = subprocess.Popen(
            [sys.executable, script, kind, name, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.version: str = self._answer()["version"]
        warm = [self.run(WARM_UP_CALLS), self.run(WARM_UP_CALLS)][-1]
        self.calls = max(WARM_UP_CALLS, int(warm["calls"] / warm["seconds"] * ROUND_SECONDS))

    def run(self, calls: int) -> dict[str, float]:
        """One round."""
        assert self._process.stdin
        self._process.stdin.write(f"{calls}\n")
        self._process.stdin.flush()
        return self._answer()

    def stop(self) -> None:
        """Lets the process end; one that does not is ended."""
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def median(self, what: str) -> float:
        """Of the rounds, for each call."""
        return statistics.median(a[what] / a["calls"] for a in self.rounds)

    def times_as_long_as(self, other: Peer) -> float:
        """The median of rounds that ran side by side."""
        pairs = zip(self.rounds, other.rounds, strict=True)
        return statistics.median(a["seconds"] / a["calls"] / (b["seconds"] / b["calls"]) for a, b in pairs)

    @property
    def rate(self) -> float:
        """Calls a second."""
        return 1 / self.median("seconds")

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            msg = f"{self.name} ended: exit code {self._process.wait()}"
            raise RuntimeError(msg)
        return json.loads(line)


def main() -> int:
    """Runs the rounds and prints the table."""
    kind, url = sys.argv[1:]
    names = SYNC if kind == "sync" else ASYNC
    peers: list[Peer] = []
    broken: list[str] = []
    for name in names:
        try:
            peers.append(Peer(kind, name, url))
        except RuntimeError as error:
            broken.append(str(error))
    for _ in range(ROUNDS):
        for peer in peers:
            peer.rounds.append(peer.run(peer.calls))
    ours = next((peer for peer in peers if peer.name == "gatewright"), None)
    how = "one at a time" if kind == "sync" else "64 at once, asyncio's own loop"
    print(f"| {kind}, {how} | requests/s | gatewright is | CPU ms per 1000 requests | peak memory, MB |")
    print("|---|---:|---:|---:|---:|")
    for peer in sorted(peers, key=lambda peer: peer.times_as_long_as(ours or peers[0])):
        times = f"{peer.times_as_long_as(ours):.2f} times" if ours else "?"
        cpu, memory = peer.median("cpu") * 1e6, peer.rounds[-1]["peak_mb"]
        print(f"| {peer.name} {peer.version} | {peer.rate:,.0f} | {times} | {cpu:.0f} | {memory:.0f} |")
    print(f"\nA process each, {ROUNDS} rounds of {ROUND_SECONDS} s that alternate; medians of rounds.")
    for peer in peers:
        peer.stop()
    for why in broken:
        print(f"\n**Not measured: {why}**")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
