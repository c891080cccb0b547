"""A quota that processes share through Redis, with a `redis-server` of the test's own. Skipped where there is none."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

import gatewright
from gatewright import RedisQuota

if TYPE_CHECKING:
    from mock_gateway import Session

PATIENT = 20.0
"""Seconds: a store that answers later is one that is away, which a machine that is busy must not make of it."""
AWAY = "redis://:hunter2@127.0.0.1:1"


def test_clients_share_a_quota(session: Session, redis_url: str) -> None:
    quotas = [RedisQuota(redis_url, "20/s, burst 4", name="shared", timeout=PATIENT) for _ in range(2)]
    with session.client(quota=quotas[0]) as one, session.client(quota=quotas[1]) as other:
        begun = time.monotonic()
        held = set()
        for _ in range(7):
            one.get("/v1/greeting")
            held.add(other.get("/v1/greeting").attempts[0].queued_for)
        assert time.monotonic() - begun > 0.5, "14 calls at 20 a second, two of them at once"
        assert "shared quota" in held
        state = one.state()["shared_quota"]
    assert state is not None
    assert (state["name"], state["quota"], state["mode"]) == ("shared", "20/s, burst 4", "shared")
    assert (state["processes"], state["used"], state["away_for"]) == (2, 7, None)


async def test_clients_share_a_quota_async(session: Session, redis_url: str) -> None:
    quota = RedisQuota(redis_url, "100/s", timeout=PATIENT)
    async with session.async_client(quota=quota) as one, session.async_client(quota=quota) as other:
        await one.get("/v1/greeting")
        await other.get("/v1/greeting")
        state = one.state()["shared_quota"]
    assert state is not None
    assert (state["processes"], state["used"]) == (1, 2), "one object is one place in the fleet"


def test_without_redis_each_keeps_to_its_part(session: Session) -> None:
    quota = RedisQuota(AWAY, "100/s, burst 50", assumed_processes=2)
    with session.client(quota=quota) as client:
        attempt = client.get("/v1/greeting").attempts[0]
        state = client.state()["shared_quota"]
    assert attempt.queued_for == "its part of the shared quota, whose store cannot be reached"
    assert state is not None
    assert state["mode"] == "away"
    assert state["away_for"] is not None


def test_who_cannot_make_the_deadline_fails_at_once(session: Session) -> None:
    with session.client(quota=RedisQuota(AWAY, "1/min", assumed_processes=2)) as client:
        with pytest.raises(gatewright.RateLimitedError) as caught:
            client.get("/v1/greeting", timeout=5)
        assert caught.value.retry_after is not None
        assert caught.value.retry_after > 60
        assert "hunter2" not in str(caught.value)
    assert session.journal() == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_has_a_place_of_its_own(session: Session, redis_url: str) -> None:
    program = f"""
import os
from gatewright import Client, RedisQuota
quota = RedisQuota({redis_url!r}, "100/s", timeout={PATIENT})
client = Client({session.url!r}, auth="sk_test_unlimited_acme", quota=quota)
client.get("/v1/greeting")
child = os.fork()
client.get("/v1/greeting")
state = client.state()["shared_quota"]
assert state["mode"] == "shared", state
if child == 0:
    assert state["used"] == 1, state
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert client.state()["shared_quota"]["used"] == 2
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=100)


def test_what_cannot_be_is_refused_and_no_password_is_shown(session: Session) -> None:
    for url in ("localhost", "redis://:hunter2@h:port"):
        with pytest.raises(gatewright.InvalidConfigError) as caught:
            RedisQuota(url, "600/min")
        assert "hunter2" not in str(caught.value)
    with pytest.raises(gatewright.InvalidConfigError, match="when expecting calls, a slash and a time"):
        RedisQuota(AWAY, "600")
    with pytest.raises(TypeError, match="several are for"):
        RedisQuota([AWAY, AWAY], "600/min")
    with pytest.raises(gatewright.InvalidConfigError, match="`ahead` must be from 10 ms to 60 s"):
        session.client(quota=RedisQuota(AWAY, "600/min", ahead=0))
    assert repr(RedisQuota(AWAY, "600/min")) == 'RedisQuota(***, "600/min")'
    # Nothing was begun by all this.
    with session.client(quota=RedisQuota(AWAY, "600/min")) as client:
        state = client.state()["shared_quota"]
    assert state is not None
    assert state["mode"] == "new"
