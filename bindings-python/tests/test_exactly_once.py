"""2 000 POSTs through 30 % faults of every kind are 2 000 side effects: none lost, none doubled."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from gatewright import Retry

if TYPE_CHECKING:
    import gatewright
    from mock_gateway import Session

CALLS = 2_000
STUBBORN = Retry(max_attempts=12, backoff_base=0.001, backoff_cap=0.005, budget=100_000)
KINDS = ["reset", "commit_reset", "503", "429", "lost", "commit_fin", "fin", "reset@100", "short"]


def contact(number: int) -> dict[str, str]:
    return {"name": f"Contact {number}", "external_id": f"x-{number}"}


@pytest.fixture(params=[1, 2])
def faulty(session: Session, request: pytest.FixtureRequest) -> Session:
    # At most ten faults a call, so that twelve attempts are always enough.
    chance = {"p": 0.3, "seed": request.param, "kinds": KINDS, "max_per_call": 10}
    session.faults({"match": {"op": "contacts.create"}, "random": chance})
    return session


def check(session: Session, answers: list[gatewright.Response]) -> None:
    assert len({answer.json()["id"] for answer in answers}) == CALLS
    effects: dict[str, Any] = session.effects()
    assert effects["count"] == CALLS
    assert effects["by_key"] == {"distinct": CALLS, "duplicates": 0, "without_key": 0}
    assert (effects["distinct_external_ids"], effects["doubled"]) == (CALLS, [])
    faults = sum(entry["fault"] is not None for entry in session.journal())
    assert faults == sum(len(answer.attempts) - 1 for answer in answers)
    assert faults > CALLS * 0.3


def test_exactly_once_from_threads(faulty: Session) -> None:
    # That many failures are an outage, at which a breaker would open.
    with faulty.client(retry=STUBBORN, breaker=False) as client, ThreadPoolExecutor(16) as pool:

        def call(number: int) -> gatewright.Response:
            return client.post("/v1/contacts", json=contact(number))

        answers = list(pool.map(call, range(CALLS)))
    check(faulty, answers)


async def test_exactly_once_from_asyncio(faulty: Session) -> None:
    async with faulty.async_client(retry=STUBBORN, breaker=False) as client:
        places = asyncio.Semaphore(64)

        async def call(number: int) -> gatewright.Response:
            async with places:
                return await client.post("/v1/contacts", json=contact(number))

        answers = await asyncio.gather(*map(call, range(CALLS)))
    check(faulty, answers)
