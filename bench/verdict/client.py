"""Plays the plan with one client: `client.py NAME URL PREFIX`. Each step is a session of its own, named `PREFIX-STEP`.

Every client has three attempts in all and a timeout of one second for each; everything else is as it comes, or as its
documentation shows it where nothing comes by itself.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Call = Callable[[str, str, "dict[str, str] | None"], object]

PLAN = json.loads(Path(__file__).with_name("plan.json").read_text())
SESSION = "X-Mock-Session"


def gatewright(url: str, session: str, key: str) -> Call:
    from gatewright import Client

    client = Client(url, auth=key, headers={SESSION: session}, attempt_timeout=1.0)
    return lambda method, path, body: client.request(method, path, json=body)


def stripe(url: str, session: str, key: str) -> Call:
    import stripe

    client = stripe.StripeClient(
        key,
        base_addresses={"api": url},
        max_network_retries=2,
        http_client=stripe.RequestsClient(timeout=1.0),
    )
    headers = {SESSION: session}
    return lambda method, path, body: client.raw_request(method.lower(), path, headers=headers, **(body or {}))


def openai(url: str, session: str, key: str) -> Call:
    from openai import OpenAI

    client = OpenAI(api_key=key, base_url=url, max_retries=2, timeout=1.0, default_headers={SESSION: session})

    def call(method: str, path: str, body: dict[str, str] | None) -> object:
        # Answers as they come: none is of OpenAI's own kinds.
        if method == "GET":
            return client.get(path, cast_to=object)
        return client.post(path, body=body, cast_to=object)

    return call


def urllib3(url: str, session: str, key: str) -> Call:
    from urllib3 import PoolManager, Retry

    retry = Retry(total=2, backoff_factor=0.5, status_forcelist=[429, 500, 502, 503, 504])
    pool = PoolManager(retries=retry, timeout=1.0, maxsize=8, block=True)
    headers = {SESSION: session, "Authorization": f"Bearer {key}"}
    return lambda method, path, body: pool.request(method, url + path, headers=headers, json=body)


CLIENTS = {"gatewright-python": gatewright, "stripe-python": stripe, "openai-python": openai, "urllib3": urllib3}


def play(make: Callable[[str, str, str], Call], url: str, prefix: str, step: dict[str, Any]) -> None:
    """One step of the plan, with a client of its own."""
    call = make(url, f"{prefix}-{step['name']}", step.get("key", "sk_test_unlimited_acme"))
    calls = step["calls"] * step.get("repeat", 1)

    def one(method: str, path: str) -> None:
        try:
            call(method, path, {"name": step["name"]} if method == "POST" else None)
        except Exception as error:
            # Kept beside the journals: what a client says and what arrived must fit.
            print(f"{step['name']}: {method} {path}: {type(error).__name__}: {str(error)[:200]!r}", file=sys.stderr)

    if "every_ms" not in step:
        for method, path in calls:
            one(method, path)
        return
    with ThreadPoolExecutor(len(calls)) as threads:
        for method, path in calls:
            threads.submit(one, method, path)
            time.sleep(step["every_ms"] / 1_000)


def main() -> None:
    _, name, url, prefix = sys.argv
    for step in PLAN:
        play(CLIENTS[name], url, prefix, step)


main()
