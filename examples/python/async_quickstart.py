# Run it: python async_quickstart.py    (beside a running gateway: cargo run -p gatewright-server-mock -- serve)
"""The same client for asyncio: many calls at once, a deadline over all of them, a stream of lines."""

from __future__ import annotations

import asyncio
import json
import os

from gatewright import AsyncClient, NotFoundError

URL = os.environ.get("GATEWRIGHT_URL", "http://127.0.0.1:4010")


async def main() -> None:
    async with AsyncClient(URL, auth="sk_test_pro_acme") as client:
        # Many calls at once share connections, limits and the retry budget.
        ids = [f"ct_{number:06}" for number in range(1, 11)]
        answers = await asyncio.gather(*(client.get(f"/v1/contacts/{contact_id}") for contact_id in ids))
        print("fetched:", ", ".join(answer.json()["name"] for answer in answers))

        # Pages are an async iterator.
        total = sum([1 async for _ in client.items("/v1/contacts", params={"limit": 20})])
        print("contacts:", total)

        # A stream is read as it comes in.
        async with client.stream("GET", "/v1/lines/3") as response:
            async for line in response.iter_lines():
                print("line:", json.loads(line)["value"])

        # An error says what happened and what to do next.
        try:
            await client.get("/v1/contacts/ct_999999")
        except NotFoundError as error:
            print("error:", error)

        # Whoever gives up waiting ends the call: its connection and its place in line are free at once.
        try:
            await asyncio.wait_for(client.get("/v1/delay/10000"), timeout=0.1)
        except asyncio.TimeoutError:
            print("gave up after 0.1 s")


asyncio.run(main())
