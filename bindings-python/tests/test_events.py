"""Streams of server-sent events."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

import gatewright

if TYPE_CHECKING:
    from mock_gateway import Session

NINE = list(range(1, 10))


def test_events_come_as_they_were_sent(session: Session) -> None:
    with session.client() as client, client.events("/v1/ticks", params={"count": 3, "interval_ms": 2}) as events:
        found = list(events)
    assert [(event.event, event.data, event.id) for event in found] == [
        ("tick", '{"tick":1}', "1"),
        ("tick", '{"tick":2}', "2"),
        ("tick", '{"tick":3}', "3"),
    ]
    assert [event.json()["tick"] for event in found] == [1, 2, 3]
    assert events.last_event_id == "3"
    assert repr(events) == "<ServerEvents after '3'>"
    assert repr(found[0]) == """ServerEvent(event='tick', data='{"tick":1}', id='1')"""
    assert found[0] == found[0]
    assert found[0] != found[1]
    assert len(set(found)) == 3


async def test_events_come_as_they_were_sent_async(session: Session) -> None:
    async with session.async_client() as client:
        async with client.events("/v1/ticks", params={"count": 9, "interval_ms": 2}) as events:
            assert [event.json()["tick"] async for event in events] == NINE
        assert events.last_event_id == "9"


@pytest.mark.parametrize("fault", ["short", "fin@420", "reset@420"])
def test_no_event_is_lost_or_doubled_where_connections_break(session: Session, fault: str) -> None:
    session.faults({"match": {"op": "ticks"}, "script": [fault, "ok"]})
    with session.client() as client, client.events("/v1/ticks", params={"count": 9, "interval_ms": 2}) as events:
        assert [event.json()["tick"] for event in events] == NINE
    first, *others = session.header_of("last-event-id")
    assert first is None
    assert others
    assert all(others)


async def test_a_task_that_is_cancelled_loses_no_event(session: Session) -> None:
    found: list[int] = []
    async with (
        session.async_client() as client,
        client.events("/v1/ticks", params={"count": 40, "interval_ms": 3}) as events,
    ):
        while len(found) < 40:
            try:
                event = await asyncio.wait_for(events.__anext__(), 0.004)
            except asyncio.TimeoutError:
                continue
            found.append(event.json()["tick"])
    assert found == list(range(1, 41))


def test_a_stream_begins_after_the_event_that_is_named(session: Session) -> None:
    with session.client() as client:
        events = client.events("/v1/ticks", params={"count": 4, "interval_ms": 2}, last_event_id="2")
        assert events.last_event_id == "2"
        assert [event.id for event in events] == ["3", "4"]
    assert session.header_of("last-event-id")[0] == "2"


def test_leaving_the_block_ends_the_request(session: Session) -> None:
    with session.client() as client:
        with client.events("/v1/ticks", params={"count": 1000, "interval_ms": 2}) as events:
            assert next(events).id == "1"
        with pytest.raises(gatewright.ClosedError):
            next(events)
        # The place is free, and the client works on.
        assert client.get("/v1/contacts").status_code == 200


def test_silence_is_an_error_where_the_stream_cannot_be_resumed(session: Session) -> None:
    with session.client() as client:
        events = client.events("/v1/ticks", params={"count": 2, "interval_ms": 60_000}, idle_timeout=0.05)
        with pytest.raises(gatewright.TimeoutError, match="idle_timeout"):
            list(events)


def test_what_is_no_stream_of_events_is_an_error(session: Session) -> None:
    with session.client() as client, client.events("/v1/contacts") as events:
        with pytest.raises(gatewright.ProtocolError, match="text/event-stream"):
            next(events)
        assert list(events) == []


def test_data_that_is_no_json(session: Session) -> None:
    with session.client() as client:
        event = next(client.events("/v1/ticks", params={"count": 1, "interval_ms": 1}))
    assert event.json() == json.loads(event.data)


def test_wrong_arguments_are_refused_at_once(session: Session) -> None:
    with session.client() as client:
        with pytest.raises(gatewright.InvalidConfigError):
            list(client.events("/v1/ticks", idle_timeout=-1.0))
        with pytest.raises(gatewright.InvalidRequestError):
            client.events("/v1/ticks", method="NOT A METHOD")
    assert session.journal() == []


def test_hooks_and_credentials_go_with_every_connection(session: Session) -> None:
    session.faults({"match": {"op": "ticks"}, "script": ["fin@420", "ok"]})
    seen: list[int] = []

    def before(attempt: gatewright.AttemptRequest) -> None:
        seen.append(attempt.number)

    with session.client(before_attempt=before) as client:
        assert len(list(client.events("/v1/ticks", params={"count": 9, "interval_ms": 2}))) == 9
    assert len(seen) == len(session.journal()) >= 2
