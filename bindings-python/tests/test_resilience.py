"""The breaker, the limit of attempts at once, regions, hedging, several credentials, explanations."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

import gatewright

if TYPE_CHECKING:
    from mock_gateway import Session

REFUSED = "http://127.0.0.1:1"


def test_a_breaker_opens_as_it_is_set(session: Session) -> None:
    session.faults({"match": {"op": "contacts.list"}, "script": ["500"] * 10})
    breaker = gatewright.Breaker(failure_rate=1.0, minimum_calls=2, open=600.0)
    with session.client(max_attempts=1, breaker=breaker) as client:
        for _ in range(2):
            with pytest.raises(gatewright.ServerError):
                client.get("/v1/contacts")
        with pytest.raises(gatewright.CircuitOpenError) as caught:
            client.get("/v1/contacts")
        assert caught.value.retry_after is not None
        assert 500 <= caught.value.retry_after <= 660
        state = client.state()["breaker"]
        assert state is not None
        assert (state["state"], state["failures"], state["calls"], state["last_failure"]) == ("open", 2, 2, "500")
    assert len(session.journal()) == 2


def test_without_a_breaker_everything_is_sent(session: Session) -> None:
    session.faults({"match": {"op": "contacts.list"}, "script": ["500"] * 40})
    with session.client(max_attempts=1, breaker=False) as client:
        for _ in range(40):
            with pytest.raises(gatewright.ServerError):
                client.get("/v1/contacts")
        assert client.state()["breaker"] is None
    assert len(session.journal()) == 40


def test_a_breaker_that_is_none_is_refused(session: Session) -> None:
    for wrong in (
        gatewright.Breaker(failure_rate=1.5),
        gatewright.Breaker(minimum_calls=0),
        gatewright.Breaker(open=0.0),
    ):
        with pytest.raises(gatewright.InvalidConfigError):
            session.client(breaker=wrong)
    assert repr(gatewright.Breaker()) == "Breaker(failure_rate=0.5, minimum_calls=20, window=30.0, open=None)"


async def test_so_many_are_under_way_and_no_more(session: Session) -> None:
    async with session.async_client(max_concurrency=2, pacing=False) as client:

        async def until_queued(wanted: int) -> None:
            queued = -1
            while queued != wanted:
                await asyncio.sleep(0.001)
                state = client.state()["concurrency"]
                assert state is not None
                assert state["in_flight"] <= state["limit"] == 2
                queued = state["queued"]

        calls = [asyncio.create_task(client.get("/v1/delay/60000")) for _ in range(6)]
        for number, call in enumerate(calls[:5]):
            await until_queued(max(4 - number, 0))
            assert not any(other.done() for other in calls[number:])
            call.cancel()
        calls[5].cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        answers = await asyncio.gather(*(client.get("/v1/whoami") for _ in range(6)))
        assert [answer.status_code for answer in answers] == [200] * 6


def test_a_region_that_is_down_is_left_for_another(session: Session) -> None:
    with gatewright.Client(
        REFUSED,
        regions=[session.url],
        auth="sk_test_unlimited_acme",
        headers=session.headers,
        retry=gatewright.Retry(backoff_base=0.001, backoff_cap=0.002),
    ) as client:
        response = client.post("/v1/contacts", json={"email": "a@example.com", "name": "A"})
        assert response.status_code == 201
        here = session.url.removeprefix("http://")
        assert [attempt.region for attempt in response.attempts] == ["127.0.0.1:1", here]
        regions = client.state()["regions"]
        assert [region["name"] for region in regions] == ["127.0.0.1:1", here]
        assert regions[1]["healthy"]
    assert session.effects()["count"] == 1


def test_a_slow_answer_is_hedged(session: Session) -> None:

    # Which of the two arrives first is not sure; which is slow is.
    def slow_first(attempt: gatewright.AttemptRequest) -> None:
        attempt.set_header("X-Mock-Fault", "latency=60000" if attempt.number == 1 else "ok")

    with session.client(hedge=0.02, before_attempt=slow_first) as client:
        begun = time.monotonic()
        response = client.get("/v1/contacts/ct_000001")
        assert time.monotonic() - begun < 30
        assert [attempt.hedge for attempt in response.attempts] == [False, True]
        assert response.attempts[0].error == "cancelled"
    # One call may do without.
    session.faults({"match": {"op": "contacts.get"}, "script": ["latency=60", "ok"]})
    with session.client(hedge=0.02) as client:
        assert len(client.get("/v1/contacts/ct_000001", hedge=False).attempts) == 1


@pytest.mark.parametrize("wrong", [0, -1.0, float("nan"), "p99", True])
def test_a_hedge_that_is_none_is_refused(session: Session, wrong: Any) -> None:
    with session.client() as client, pytest.raises(gatewright.InvalidRequestError, match="hedge"):
        client.get("/v1/contacts", hedge=wrong)
    assert session.journal() == []


def test_each_call_may_have_its_own_credential(session: Session) -> None:
    asked: list[int] = []

    def token() -> str:
        asked.append(1)
        return "sk_test_unlimited_third"

    with session.client(credentials={"other": "sk_test_unlimited_other", "third": token}) as client:
        tenants = [
            client.get("/v1/whoami", credential=credential).json()["tenant"]
            for credential in (None, "other", "third", "third", None)
        ]
        assert tenants == ["acme", "other", "third", "third", "acme"]
        assert len(asked) == 1
        with pytest.raises(gatewright.AuthenticationError):
            client.get("/v1/whoami", credential=False)
        with pytest.raises(gatewright.InvalidRequestError, match="nobody"):
            client.get("/v1/whoami", credential="nobody")
        assert "sk_test_unlimited_other" not in repr(client)


async def test_each_call_may_have_its_own_credential_async(session: Session) -> None:
    async def token() -> str:
        await asyncio.sleep(0)
        return "sk_test_unlimited_third"

    async with session.async_client(credentials={"third": token}) as client:
        assert (await client.get("/v1/whoami", credential="third")).json()["tenant"] == "third"


def test_an_explanation_says_what_would_be_done_and_why(session: Session) -> None:
    with gatewright.Client(session.url) as client:
        explained = client.explain(503, headers={"retry-after": "2"})
        assert (explained.decision, explained.code, explained.counted) == ("retry", "server", "failure")
        assert explained.wait == pytest.approx((2.0, 2.2), abs=0.001)
        assert explained.retry_after == 2.0
        assert str(explained).startswith("retry in 2 s")
        assert len(explained.reasons) > 1
        lost = client.explain(failure="connection_lost", method="POST", idempotency_key=False)
        assert (lost.decision, lost.code, lost.repeatable) == ("give_up", "outcome_unknown", False)
        assert client.explain(500, attempt=3).decision == "give_up"
        assert client.explain(200).code is None
        with pytest.raises(TypeError):
            client.explain()
        with pytest.raises(TypeError):
            client.explain(200, failure="tls")
        with pytest.raises(gatewright.InvalidRequestError, match="`failure` must be one of"):
            client.explain(failure="bad luck")  # type: ignore[arg-type]
        with pytest.raises(gatewright.InvalidRequestError, match="1000"):
            client.explain(1000)
    assert session.journal() == []
