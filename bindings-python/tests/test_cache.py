"""The cache as programs set it, ask for it and see it; against the gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gatewright import Cache, Client, InvalidConfigError, NotCachedError

if TYPE_CHECKING:
    from mock_gateway import Session

PATH = "/v1/contacts/ct_000001"


def answers(session: Session, **headers: str | None) -> None:
    """The gateway says this of the contact."""
    session.set(response_headers=[{"op": "contacts.get", "set": headers}])


def control(text: str, age: str | None = None) -> dict[str, str | None]:
    return {"cache-control": text, "age": age}


def requests(session: Session) -> int:
    return len(session.journal())


def test_nothing_is_kept_by_default(session: Session) -> None:
    answers(session, **control("max-age=60"))
    with session.client() as client:
        for _ in range(2):
            answer = client.get(PATH)
            assert answer.cache_status is None
            assert not answer.from_cache
        assert client.state()["cache"] is None
        client.clear_cache()
    assert requests(session) == 2


def test_a_fresh_answer_is_given_without_the_server(session: Session) -> None:
    answers(session, **control("max-age=60"))
    with session.client(cache=True) as client:
        first, second = client.get(PATH), client.get(PATH)
        assert (first.cache_status, second.cache_status) == ("miss", "hit")
        assert (first.from_cache, second.from_cache) == (False, True)
        assert first.content == second.content
        assert second.attempts == ()
        state = client.state()["cache"]
        assert state is not None
        assert (state["entries"], state["hits"], state["misses"]) == (1, 1, 1)
        assert state["max_bytes"] == 64 * 1024 * 1024
        client.clear_cache()
        assert client.get(PATH).cache_status == "miss"
    assert requests(session) == 2


def test_a_stale_answer_is_validated(session: Session) -> None:
    answers(session, **control("max-age=60", age="70"))
    with session.client(cache=Cache(max_bytes=1_000_000)) as client:
        first, second = client.get(PATH), client.get(PATH)
        assert (second.status_code, second.cache_status) == (200, "revalidated")
        assert first.content == second.content
        with client.stream("GET", PATH) as answer:
            assert (answer.cache_status, answer.from_cache) == ("revalidated", True)
            assert answer.read() == first.content


def test_calls_say_what_they_want(session: Session) -> None:
    answers(session, **control("max-age=60"))
    with session.client(cache=True) as client:
        with pytest.raises(NotCachedError):
            client.get(PATH, cache="only-if-cached")
        statuses = [
            client.get(PATH, cache=mode).cache_status
            for mode in ("no-store", "default", "no-cache", "reload", "force-cache", "only-if-cached")
        ]
        assert statuses == [None, "miss", "revalidated", "miss", "hit", "hit"]


def test_the_synchronous_client_validates_before_it_answers(session: Session) -> None:
    # Nothing runs behind its calls; the window only lets it answer where the server fails.
    answers(session, **control("max-age=60, stale-while-revalidate=600", age="70"))
    with session.client(cache=True, max_attempts=1) as client:
        client.get(PATH)
        assert client.get(PATH).cache_status == "revalidated"
        session.script("contacts.get", "503")
        stale = client.get(PATH)
        assert (stale.cache_status, len(stale.attempts)) == ("stale", 1)


async def test_the_asynchronous_client_validates_behind_its_answer(session: Session) -> None:
    answers(session, **control("max-age=60, stale-while-revalidate=600", age="70"))
    async with session.async_client(cache=True) as client:
        await client.get(PATH)
        assert (await client.get(PATH)).cache_status == "stale"
        client.clear_cache()
        state = client.state()["cache"]
        assert state is not None
        assert state["entries"] == 0


def test_an_old_answer_is_better_than_none_where_one_says_so(session: Session) -> None:
    answers(session, **control("max-age=60", age="70"))
    with session.client(cache=Cache(stale_if_error=600), max_attempts=1) as client:
        client.get(PATH)
        session.script("contacts.get", "503")
        assert client.get(PATH).cache_status == "stale"


@pytest.mark.parametrize(
    ("cache", "what"),
    [
        (Cache(max_bytes=0), "`cache` has room for 0 bytes"),
        (Cache(max_bytes=-1), "`cache.max_bytes` is -1; it must be a number of bytes, zero or more"),
        (
            Cache(stale_if_error=float("nan")),
            "`cache.stale_if_error` is nan; it must be a number of seconds, zero or more",
        ),
        (Cache(heuristic_freshness=-1.0), "`cache.heuristic_freshness` is -1.0"),
    ],
)
def test_what_is_wrong_is_said_by_name(cache: Cache, what: str) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        Client("https://api.example.com", cache=cache)
    assert what in str(caught.value)


def test_what_is_no_cache_is_refused() -> None:
    wrong: Any = "64 MiB"
    with pytest.raises(TypeError, match="True, False or a Cache"):
        Client("https://api.example.com", cache=wrong)
    assert repr(Cache(5)) == "Cache(max_bytes=5, max_entry_bytes=None, stale_if_error=None, heuristic_freshness=None)"
