"""Tests that a user would write of code that calls an API: run with both wheels installed, and nothing else said."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gatewright import Retry
from gatewright.testing import AsyncGateway

if TYPE_CHECKING:
    from gatewright import Client
    from gatewright.testing import Session


def add_contact(client: Client, name: str) -> str:
    """The code under test."""
    contact_id: str = client.post("/v1/contacts", json={"name": name}).json()["id"]
    return contact_id


def test_a_retry_after_a_fault_on_a_frozen_clock(gatewright_session: Session) -> None:
    session = gatewright_session
    session.freeze()
    session.script("contacts.create", "503;ra-ms=30", "lost")
    with session.client(retry=Retry(backoff_base=0.05)) as client:
        contact_id = add_contact(client, "Ada")
    assert contact_id == "ct_000046"
    assert session.effects("contacts.create")["count"] == 1
    assert [entry["fault"] for entry in session.journal()] == ["503;ra-ms=30", "lost", None]
    assert len({entry["at_ms"] for entry in session.journal()}) == 1
    verdict = session.verdict()
    assert verdict["grade"] == "A", verdict["reason"]


def test_nothing_of_another_test_is_there(gatewright_session: Session) -> None:
    assert gatewright_session.journal() == []


def test_asyncio() -> None:
    async def play() -> None:
        async with AsyncGateway() as gateway, await gateway.session() as session:
            await session.script("contacts.get", "503;ra-ms=30")
            async with session.client() as client:
                assert (await client.get("/v1/contacts/ct_000001")).json()["id"] == "ct_000001"
            assert len(await session.journal()) == 2

    asyncio.run(play())
