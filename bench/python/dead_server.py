"""A thousand calls of one client against a server that dies and comes back, see bench/src/bin/bench-dead-server.rs.

Usage: python dead_server.py CLIENT URL; prints {"lost": calls, "took": seconds}.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS = 1_000
AT_ONCE = 64
APART = 0.02
PATH = "/v1/contacts/ct_000001"

# Each client with its defaults. Each call says whether it brought what was asked for.


def gatewright(url: str) -> Callable[[], bool]:
    import gatewright

    client = gatewright.Client(url)

    def call() -> bool:
        try:
            client.get(PATH)
        except gatewright.Error:
            return False
        return True

    return call


def openai(url: str) -> Callable[[], bool]:
    import openai

    client = openai.OpenAI(base_url=url, api_key="sk_test_unlimited_bench")

    def call() -> bool:
        try:
            client.models.list()
        except openai.OpenAIError:
            return False
        return True

    return call


def urllib3(url: str, *, status: bool = False) -> Callable[[], bool]:
    import urllib3

    retries = urllib3.Retry(3, backoff_factor=0.5, status_forcelist=[503]) if status else urllib3.Retry()
    pool = urllib3.PoolManager(maxsize=AT_ONCE, retries=retries)

    def call() -> bool:
        try:
            return pool.request("GET", url + PATH).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    return call


CLIENTS: dict[str, Callable[[str], Callable[[], bool]]] = {
    "gatewright": gatewright,
    "openai": openai,
    "urllib3": urllib3,
    "urllib3-status": lambda url: urllib3(url, status=True),
}


def main() -> None:
    """Makes the calls and prints what came of them."""
    call = CLIENTS[sys.argv[1]](sys.argv[2])
    start = time.monotonic()

    def one(number: int) -> bool:
        time.sleep(max(0.0, start + number * APART - time.monotonic()))
        return call()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        brought = list(pool.map(one, range(CALLS)))
    print(json.dumps({"lost": brought.count(False), "took": time.monotonic() - start}))


if __name__ == "__main__":
    main()
