"""Retries, idempotency keys, and the record of both."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

import gatewright
from gatewright import Retry

if TYPE_CHECKING:
    from mock_gateway import Session

CONTACT = {"name": "Ada Lovelace"}
BROKEN = ["reset", "503", "fin", "lost", "short", "bad-chunk", "500", "502", "504", "429;ra=0", "408"]


def check_one_effect(response: gatewright.Response, session: Session, attempts: int) -> None:
    assert response.status_code == 201
    assert len(response.attempts) == attempts
    effects = session.effects()
    assert (effects["count"], effects["by_key"]["duplicates"]) == (1, 0)
    keys = session.header_of("idempotency-key")
    assert len(keys) == attempts
    assert len(set(keys)) == 1
    assert keys[0]


def test_a_reset_and_a_503_end_in_one_side_effect(session: Session) -> None:
    session.script("contacts.create", "reset", "503")
    with session.client() as client:
        response = client.post("/v1/contacts", json=CONTACT)
    check_one_effect(response, session, 3)
    first, second, third = response.attempts
    assert (first.status, second.status, third.status) == (None, 503, 201)
    assert first.error is not None
    assert first.error.startswith("connection lost")
    assert (first.decision, second.decision, third.decision) == ("retry", "retry", "return")
    assert first.reason == "the connection broke and the request is safe to repeat"
    assert second.reason == "the server was unavailable"
    assert (third.reason, third.wait, third.error) == (None, None, None)
    assert first.started <= first.started + first.took <= second.started <= third.started
    assert first.wait is not None
    assert 0 <= first.wait <= 0.002
    assert (first.budget_left, second.budget_left) == (495, 490)
    assert second.request_id == session.journal()[1]["request_id"]


async def test_a_reset_and_a_503_end_in_one_side_effect_async(session: Session) -> None:
    session.script("contacts.create", "reset", "503")
    async with session.async_client() as client:
        response = await client.post("/v1/contacts", json=CONTACT)
    check_one_effect(response, session, 3)


@pytest.mark.parametrize("fault", BROKEN)
def test_whatever_breaks_a_post_takes_effect_once(session: Session, fault: str) -> None:
    session.script("contacts.create", fault)
    with session.client() as client:
        check_one_effect(client.post("/v1/contacts", json=CONTACT), session, 2)


@pytest.mark.parametrize("fault", BROKEN)
async def test_whatever_breaks_a_post_takes_effect_once_async(session: Session, fault: str) -> None:
    session.script("contacts.create", fault)
    async with session.async_client() as client:
        check_one_effect(await client.post("/v1/contacts", json=CONTACT), session, 2)


def test_a_lost_answer_is_replayed(session: Session) -> None:
    session.script("contacts.create", "lost")
    with session.client() as client:
        response = client.post("/v1/contacts", json=CONTACT)
    assert response.headers["Idempotency-Replayed"] == "true"
    assert [entry["replayed"] for entry in session.journal()] == [False, True]


def test_every_call_has_a_key_of_its_own(session: Session) -> None:
    with session.client() as client:
        for _ in range(100):
            client.post("/v1/echo")
        client.patch("/v1/echo")
        client.put("/v1/echo")
        client.get("/v1/echo")
        client.delete("/v1/echo")
    *keyed, put, get, delete = session.header_of("idempotency-key")
    assert len(set(keyed)) == 101
    assert put is get is delete is None


def test_a_key_of_ones_own_is_used(session: Session) -> None:
    with session.client() as client:
        for _ in range(2):
            client.post("/v1/contacts", json=CONTACT, idempotency_key="order-17")
        client.delete("/v1/contacts/ct_000001", idempotency_key="delete-1")
    assert session.header_of("idempotency-key") == ["order-17", "order-17", "delete-1"]
    assert session.effects()["count"] == 1


async def test_a_key_of_ones_own_is_used_async(session: Session) -> None:
    async with session.async_client() as client:
        for _ in range(2):
            await client.post("/v1/contacts", json=CONTACT, idempotency_key="order-17")
    assert session.effects()["count"] == 1


def test_the_keys_header_can_be_named_and_quoted_and_left_out(session: Session) -> None:
    with session.client(idempotency_header="X-Once", idempotency_quoted=True) as client:
        client.post("/v1/echo", idempotency_key="abc")
    with session.client(idempotency_keys=False) as client:
        client.post("/v1/echo")
    assert session.header_of("x-once") == ['"abc"', None]
    assert session.header_of("idempotency-key") == [None, None]


def test_a_stream_that_was_begun_is_not_sent_again(session: Session) -> None:
    session.script("sink", "503")
    with session.client() as client, pytest.raises(gatewright.ServerError) as caught:
        client.post("/v1/sink", content=iter([b"once"]))
    assert caught.value.no_retry == "the body can be sent only once"
    assert len(session.journal()) == 1


def test_attempts_are_bounded_for_the_client_and_for_one_call(session: Session) -> None:
    session.faults({"random": {"p": 1, "kinds": ["503"]}})
    with session.client(max_attempts=2) as client:
        for attempts in (None, 1, 4):
            with pytest.raises(gatewright.ServerError) as caught:
                client.get("/v1/whoami", max_attempts=attempts)
            assert len(caught.value.attempts) == (attempts or 2)
            assert caught.value.retryability == ("temporary" if attempts == 1 else "exhausted")
            assert caught.value.no_retry == "all attempts are used up"


def test_a_budget_that_is_used_up_ends_the_retries(session: Session) -> None:
    session.faults({"random": {"p": 1, "kinds": ["503"]}})
    retry = Retry(max_attempts=10, backoff_base=0, backoff_cap=0, budget=12)
    with session.client(retry=retry) as client, pytest.raises(gatewright.ServerError) as caught:
        client.get("/v1/whoami")
    assert caught.value.no_retry == "the retry budget of this host is used up"
    assert [attempt.budget_left for attempt in caught.value.attempts] == [7, 2, 2]


def test_a_wait_that_is_too_long_is_the_callers(session: Session) -> None:
    session.script("whoami", "429;ra=61")
    with session.client() as client, pytest.raises(gatewright.RateLimitedError) as caught:
        client.get("/v1/whoami")
    assert caught.value.retry_after == 61
    assert caught.value.retryability == "temporary"
    assert caught.value.no_retry == "the server asks for a longer wait than allowed"
    assert caught.value.advice == "wait 61 s before the next call"
    assert caught.value.attempts[0].retry_after == 61


def test_a_short_wait_is_waited_out(session: Session) -> None:
    session.script("whoami", "503;ra-ms=40")
    with session.client() as client:
        response = client.get("/v1/whoami")
    first, second = response.attempts
    assert first.retry_after == 0.04
    assert second.started - first.started >= 0.04


def test_what_would_not_change_is_not_retried(session: Session) -> None:
    session.faults({"random": {"p": 1, "kinds": ["422"]}})
    with session.client() as client, pytest.raises(gatewright.UnprocessableError) as caught:
        client.post("/v1/contacts", json=CONTACT)
    assert len(caught.value.attempts) == 1


def test_the_timeline_is_a_line_for_each_attempt(session: Session) -> None:
    session.script("contacts.create", "reset", "503")
    with session.client() as client:
        response = client.post("/v1/contacts", json=CONTACT)
    lines = response.timeline().splitlines()
    assert len(lines) == 3
    for line, attempt in zip(lines, response.attempts, strict=True):
        assert line.endswith(str(attempt))
        assert "█" in line
    assert repr(response.attempts[1]) == f"<Attempt {response.attempts[1]}>"


def test_a_quota_of_ones_own_is_kept(session: Session) -> None:
    with session.client(quota="5/s, burst 1") as client:
        begun = time.monotonic()
        responses = [client.get("/v1/whoami") for _ in range(4)]
        took = time.monotonic() - begun
    assert took >= 0.6
    held = {attempt.queued_for for response in responses for attempt in response.attempts}
    # Where the machine stalls a call may come when its turn has come already; not each of them does.
    assert held <= {None, "local quota"}
    assert "local quota" in held


async def test_a_quota_of_ones_own_is_kept_async(session: Session) -> None:
    async with session.async_client(quota="100/s, burst 1") as client:
        begun = time.monotonic()
        for _ in range(6):
            await client.get("/v1/whoami")
    assert time.monotonic() - begun >= 0.05


def test_a_call_whose_turn_comes_after_its_deadline_is_refused_at_once(session: Session) -> None:
    with session.client(quota="1/h, burst 1") as client:
        client.get("/v1/whoami")
        begun = time.monotonic()
        with pytest.raises(gatewright.RateLimitedError) as caught:
            client.get("/v1/whoami", timeout=60)
    assert time.monotonic() - begun < 30
    assert "was not sent: held back for local quota" in str(caught.value)
    assert caught.value.retry_after is not None
    assert 3500 < caught.value.retry_after <= 3600
    assert len(session.journal()) == 1
