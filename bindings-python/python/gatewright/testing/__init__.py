"""The reference gateway in your own tests: a real server on this machine, with faults, a clock and a journal.

    from gatewright.testing import Gateway

    def test_a_lost_answer_does_not_make_two_contacts() -> None:
        with Gateway() as gateway:
            session = gateway.session()
            session.script("contacts.create", "503;ra-ms=20", "lost")
            with session.client() as client:
                client.post("/v1/contacts", json={"name": "Ada"})
            assert session.effects("contacts.create")["count"] == 1
            assert session.verdict()["grade"] == "A"

The gateway is a process of its own, which ends with yours. Its program comes with `pip install 'gatewright[testing]'`.
`AsyncGateway` is the same for asyncio; `gatewright.testing.pytest_fixtures` has fixtures.
"""

from __future__ import annotations

from gatewright.testing._asyncio import AsyncGateway, AsyncSession
from gatewright.testing._gateway import Gateway, GatewayError, GatewayNotInstalledError
from gatewright.testing._records import (
    AspectVerdict,
    AttemptVerdict,
    CallVerdict,
    ClockState,
    Effects,
    EffectsByKey,
    Finding,
    JournalEntry,
    Token,
    Told,
    Verdict,
)
from gatewright.testing._session import Session

__all__ = [
    "AspectVerdict",
    "AsyncGateway",
    "AsyncSession",
    "AttemptVerdict",
    "CallVerdict",
    "ClockState",
    "Effects",
    "EffectsByKey",
    "Finding",
    "Gateway",
    "GatewayError",
    "GatewayNotInstalledError",
    "JournalEntry",
    "Session",
    "Token",
    "Told",
    "Verdict",
]
