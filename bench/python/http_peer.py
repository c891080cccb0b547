"""One HTTP client in a process of its own: told how many calls to make, it says what they took.

Usage: python http_peer.py {sync|async} CLIENT URL; then a number of calls on each line of standard input.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import os
import re
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PATH = "/v1/contacts/ct_000001"
KEY = "sk_test_unlimited_bench"
HEADERS = {"authorization": f"Bearer {KEY}"}
AT_ONCE = 64

# Each client with its defaults, kept for all calls, as its documentation shows. Each returns the decoded body.


def sync_gatewright(url: str) -> Callable[[], Any]:
    import gatewright

    client = gatewright.Client(url, auth=KEY)
    return lambda: client.get(PATH).json()


def sync_requests(url: str) -> Callable[[], Any]:
    import requests

    session = requests.Session()
    session.headers.update(HEADERS)
    return lambda: session.get(url + PATH).json()


def sync_httpx(url: str) -> Callable[[], Any]:
    import httpx

    client = httpx.Client(base_url=url, headers=HEADERS)
    return lambda: client.get(PATH).json()


def sync_urllib3(url: str) -> Callable[[], Any]:
    import urllib3

    pool = urllib3.PoolManager(headers=HEADERS)
    return lambda: pool.request("GET", url + PATH).json()


def sync_pyreqwest(url: str) -> Callable[[], Any]:
    from pyreqwest.client import SyncClientBuilder

    client = SyncClientBuilder().base_url(url + "/").default_headers(HEADERS).build()
    return lambda: client.get(PATH).build().send().json()


def sync_primp(url: str) -> Callable[[], Any]:
    import primp

    client = primp.Client(headers=HEADERS)
    return lambda: client.get(url + PATH).json()


def sync_stripe(url: str) -> Callable[[], Any]:
    import stripe

    client = stripe.new_default_http_client()

    def call() -> Any:
        body, _status, _headers = client.request_with_retries("get", url + PATH, HEADERS)
        return json.loads(body)

    return call


def sync_openai(url: str) -> Callable[[], Any]:
    import openai

    client = openai.OpenAI(api_key=KEY, base_url=url)
    return lambda: client.get(PATH, cast_to=object)


def async_gatewright(url: str) -> Callable[[], Awaitable[Any]]:
    import gatewright

    client = gatewright.AsyncClient(url, auth=KEY)

    async def call() -> Any:
        return (await client.get(PATH)).json()

    return call


def async_httpx(url: str) -> Callable[[], Awaitable[Any]]:
    import httpx

    client = httpx.AsyncClient(base_url=url, headers=HEADERS)

    async def call() -> Any:
        return (await client.get(PATH)).json()

    return call


def async_aiohttp(url: str) -> Callable[[], Awaitable[Any]]:
    import aiohttp

    session = aiohttp.ClientSession(url, headers=HEADERS)

    async def call() -> Any:
        async with session.get(PATH) as response:
            return await response.json()

    return call


def async_pyreqwest(url: str) -> Callable[[], Awaitable[Any]]:
    from pyreqwest.client import ClientBuilder

    client = ClientBuilder().base_url(url + "/").default_headers(HEADERS).build()

    async def call() -> Any:
        return await (await client.get(PATH).build().send()).json()

    return call


def async_openai(url: str) -> Callable[[], Awaitable[Any]]:
    import openai

    client = openai.AsyncOpenAI(api_key=KEY, base_url=url)

    async def call() -> Any:
        return await client.get(PATH, cast_to=object)

    return call


SYNC: dict[str, Callable[[str], Callable[[], Any]]] = {
    "gatewright": sync_gatewright,
    "pyreqwest": sync_pyreqwest,
    "primp": sync_primp,
    "urllib3": sync_urllib3,
    "requests": sync_requests,
    "httpx": sync_httpx,
    "stripe": sync_stripe,
    "openai": sync_openai,
}
ASYNC: dict[str, Callable[[str], Callable[[], Awaitable[Any]]]] = {
    "gatewright": async_gatewright,
    "pyreqwest": async_pyreqwest,
    "aiohttp": async_aiohttp,
    "httpx": async_httpx,
    "openai": async_openai,
}


def check(body: Any) -> None:
    """Every body must be there and decoded."""
    if body["id"] != "ct_000001":
        msg = f"not the body that was asked for: {body!r}"
        raise ValueError(msg)


def cpu_seconds() -> float:
    """User and system time of this process, all its threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peak_memory_mb() -> float:
    """Peak resident memory. `ru_maxrss` would begin with what the parent process had."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    if found:
        return int(found[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def report(calls: int, seconds: float, cpu: float) -> None:
    """Says what a round took."""
    print(json.dumps({"calls": calls, "seconds": seconds, "cpu": cpu, "peak_mb": peak_memory_mb()}), flush=True)


def run_sync(call: Callable[[], Any]) -> None:
    """Rounds of calls, one after the other."""
    for line in sys.stdin:
        calls = int(line)
        cpu, begun = cpu_seconds(), time.perf_counter()
        for _ in range(calls):
            check(call())
        report(calls, time.perf_counter() - begun, cpu_seconds() - cpu)


async def run_async(make: Callable[[str], Callable[[], Awaitable[Any]]], url: str) -> None:
    """Rounds of calls, 64 at once."""
    call = make(url)
    loop = asyncio.get_running_loop()

    async def share(calls: int) -> None:
        for _ in range(calls):
            check(await call())

    while line := await loop.run_in_executor(None, sys.stdin.readline):
        each = max(1, int(line) // AT_ONCE)
        cpu, begun = cpu_seconds(), time.perf_counter()
        await asyncio.gather(*(share(each) for _ in range(AT_ONCE)))
        report(each * AT_ONCE, time.perf_counter() - begun, cpu_seconds() - cpu)
    # Connections end with the process: how a client is closed is not measured, and each is closed in another way.
    os._exit(0)


def main() -> None:
    """Makes the client, says its version, and runs rounds until standard input ends."""
    kind, name, url = sys.argv[1:]
    print(json.dumps({"version": importlib.metadata.version(name)}), flush=True)
    if kind == "sync":
        run_sync(SYNC[name](url))
    else:
        asyncio.run(run_async(ASYNC[name], url))


if __name__ == "__main__":
    main()
