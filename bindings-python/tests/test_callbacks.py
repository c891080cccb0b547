"""Token callbacks and hooks: the user's own code in the middle of a call."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import TYPE_CHECKING, Any

import pytest

import gatewright
from gatewright import Token
from mock_gateway import KEY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from mock_gateway import Session

OTHER_KEY = "sk_test_unlimited_other"


class Tokens:
    """A source of tokens that counts."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self) -> Any:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def later(self) -> Any:
        await asyncio.sleep(0)
        return self()


ANSWERS = [KEY, (KEY, 60), (KEY, None), Token(KEY), Token(KEY, expires_in=60.0)]


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_token_is_fetched_once_and_used_again(session: Session, answer: Any) -> None:
    tokens = Tokens(answer)
    with session.client(auth=tokens) as client:
        for _ in range(3):
            assert client.get("/v1/whoami").json()["tenant"] == "acme"
    assert tokens.asked == 1


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("later", [False, True])
async def test_a_token_is_fetched_once_and_used_again_async(session: Session, answer: Any, later: bool) -> None:
    tokens = Tokens(answer)
    async with session.async_client(auth=tokens.later if later else tokens) as client:
        answers = await asyncio.gather(*(client.get("/v1/whoami") for _ in range(20)))
    assert {response.json()["tenant"] for response in answers} == {"acme"}
    assert tokens.asked == 1


def test_a_token_that_is_refused_is_fetched_anew_once(session: Session) -> None:
    tokens = Tokens("sk_gone", KEY)
    with session.client(auth=tokens) as client:
        response = client.get("/v1/whoami")
    assert [(attempt.status, attempt.decision) for attempt in response.attempts] == [
        (401, "refresh_token"),
        (200, "return"),
    ]
    assert tokens.asked == 2


async def test_a_token_that_is_refused_is_fetched_anew_once_async(session: Session) -> None:
    tokens = Tokens("sk_gone", "sk_gone_too")
    async with session.async_client(auth=tokens.later) as client:
        with pytest.raises(gatewright.AuthenticationError) as caught:
            await client.get("/v1/whoami")
    assert len(caught.value.attempts) == tokens.asked == 2


def test_a_token_that_expires_is_fetched_anew(session: Session) -> None:
    tokens = Tokens((KEY, 0.3))
    with session.client(auth=tokens) as client:
        client.get("/v1/whoami")
        client.get("/v1/delay/310")
        client.get("/v1/whoami")
    assert tokens.asked >= 2


def check_token_error(error: gatewright.TokenError, cause: BaseException, session: Session) -> None:
    assert error.__cause__ is cause
    assert str(error) == (
        f"token: GET {session.url}/v1/whoami was not sent: no token: LookupError: vault is sealed; "
        "look at the token callback's own error"
    )
    assert session.journal() == []


def test_an_error_of_the_callback_is_the_cause(session: Session) -> None:
    cause = LookupError("vault is sealed")
    tokens = Tokens(cause, KEY)
    with session.client(auth=tokens) as client:
        with pytest.raises(gatewright.TokenError) as caught:
            client.get("/v1/whoami")
        check_token_error(caught.value, cause, session)
        assert client.get("/v1/whoami").is_success


@pytest.mark.parametrize("later", [False, True])
async def test_an_error_of_the_callback_is_the_cause_async(session: Session, later: bool) -> None:
    cause = LookupError("vault is sealed")
    tokens = Tokens(cause, KEY)
    async with session.async_client(auth=tokens.later if later else tokens) as client:
        with pytest.raises(gatewright.TokenError) as caught:
            await client.get("/v1/whoami")
        check_token_error(caught.value, cause, session)
        assert (await client.get("/v1/whoami")).is_success


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (5, "TypeError: the token callback gave int; it must give a str, (str, seconds) or a Token"),
        ((KEY, -1), "ValueError: the token callback gave a lifetime of -1 seconds"),
        ((KEY, float("nan")), "ValueError: the token callback gave a lifetime of NaN seconds"),
        ((KEY, 0), "the token has expired already"),
        ("", "the credential is empty"),
    ],
)
def test_what_is_no_token_is_refused(session: Session, answer: Any, text: str) -> None:
    with session.client(auth=Tokens(answer)) as client, pytest.raises(gatewright.TokenError) as caught:
        client.get("/v1/whoami")
    assert f"was not sent: no token: {text}" in str(caught.value)


def test_an_async_callback_is_for_the_async_client(session: Session) -> None:
    with (
        session.client(auth=Tokens(KEY).later) as client,
        pytest.raises(gatewright.TokenError, match="use AsyncClient"),
    ):
        client.get("/v1/whoami")


def test_a_callback_may_use_a_client_itself(session: Session) -> None:
    with session.client() as inner:

        def fetch() -> str:
            return KEY.replace("acme", inner.get("/v1/whoami").json()["tenant"])

        with session.client(auth=fetch) as client:
            assert client.get("/v1/whoami").json()["tenant"] == "acme"


async def test_a_callback_may_use_a_client_itself_async(session: Session) -> None:
    async with session.async_client() as inner:

        async def fetch() -> str:
            return KEY.replace("acme", (await inner.get("/v1/whoami")).json()["tenant"])

        async with session.async_client(auth=fetch) as client:
            assert (await client.get("/v1/whoami")).json()["tenant"] == "acme"


async def test_a_callback_of_an_async_client_may_use_a_sync_one(session: Session) -> None:
    def fetch() -> str:
        with session.client() as inner:
            return KEY.replace("acme", inner.get("/v1/whoami").json()["tenant"])

    async with session.async_client(auth=fetch) as client:
        assert (await client.get("/v1/whoami")).json()["tenant"] == "acme"


def test_many_threads_wait_for_one_token(session: Session) -> None:
    tokens = Tokens(KEY)
    with session.client(auth=tokens) as client:
        threads = [threading.Thread(target=client.get, args=("/v1/whoami",)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert tokens.asked == 1
    assert len(session.journal()) == 8


def test_hooks_see_every_attempt_and_may_change_headers(session: Session) -> None:
    session.script("contacts.create", "reset", "503")
    seen: list[tuple[Any, ...]] = []

    def before(attempt: gatewright.AttemptRequest) -> None:
        assert "authorization" not in attempt.headers
        attempt.set_header("X-Attempt", str(attempt.number))
        attempt.remove_header("user-agent")
        seen.append(("before", attempt.number, attempt.method, attempt.url, attempt.headers["x-attempt"]))

    def after(attempt: gatewright.AttemptResult) -> None:
        assert attempt.took >= 0
        assert (attempt.headers is None) == (attempt.status_code is None)
        seen.append(("after", attempt.number, attempt.method, attempt.status_code, attempt.error is None))

    with session.client(before_attempt=before, after_attempt=after) as client:
        client.post("/v1/contacts", json={"name": "Ada"})
    url = f"{session.url}/v1/contacts"
    assert seen == [
        ("before", 1, "POST", url, "1"),
        ("after", 1, "POST", None, False),
        ("before", 2, "POST", url, "2"),
        ("after", 2, "POST", 503, True),
        ("before", 3, "POST", url, "3"),
        ("after", 3, "POST", 201, True),
    ]
    assert session.header_of("x-attempt") == ["1", "2", "3"]
    assert session.header_of("user-agent") == [None] * 3


@pytest.mark.parametrize("later", [False, True])
async def test_hooks_see_every_attempt_and_may_change_headers_async(session: Session, later: bool) -> None:
    session.script("contacts.create", "503")
    seen: list[int | None] = []

    def before(attempt: gatewright.AttemptRequest) -> None:
        attempt.set_header("X-Attempt", str(attempt.number))

    async def before_later(attempt: gatewright.AttemptRequest) -> None:
        await asyncio.sleep(0)
        before(attempt)

    async def after(attempt: gatewright.AttemptResult) -> None:
        await asyncio.sleep(0)
        seen.append(attempt.status_code)

    hook: Callable[..., Any] = before_later if later else before
    async with session.async_client(before_attempt=hook, after_attempt=after) as client:
        await client.post("/v1/contacts", json={"name": "Ada"})
    assert session.header_of("x-attempt") == ["1", "2"]
    assert seen == [503, 201]


@pytest.mark.parametrize("place", ["before_attempt", "after_attempt"])
def test_a_hook_that_fails_ends_the_call(session: Session, place: str) -> None:
    cause = LookupError("no")

    def hook(_: object) -> None:
        raise cause

    with session.client(**{place: hook}) as client, pytest.raises(gatewright.HookError) as caught:
        client.get("/v1/whoami")
    assert caught.value.__cause__ is cause
    assert "failed: hook failed (LookupError: no)" in str(caught.value)
    assert len(session.journal()) == (place == "after_attempt")


@pytest.mark.parametrize("place", ["before_attempt", "after_attempt"])
async def test_a_hook_that_fails_ends_the_call_async(session: Session, place: str) -> None:
    cause = LookupError("no")

    async def hook(_: object) -> None:
        raise cause

    async with session.async_client(**{place: hook}) as client:
        with pytest.raises(gatewright.HookError) as caught:
            await client.get("/v1/whoami")
    assert caught.value.__cause__ is cause


def test_a_hook_is_told_of_headers_that_cannot_be(session: Session) -> None:
    def hook(attempt: gatewright.AttemptRequest) -> None:
        with pytest.raises(KeyError):
            attempt.remove_header("not-there")
        attempt.set_header("x-a", "line\nbreak")

    with session.client(before_attempt=hook) as client, pytest.raises(gatewright.HookError) as caught:
        client.get("/v1/whoami")
    assert isinstance(caught.value.__cause__, gatewright.InvalidRequestError)


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("place", ["auth", "before_attempt", "content"])
def test_what_ends_the_program_is_not_wrapped(session: Session, place: str, end: type[BaseException]) -> None:
    def stop(*_: object) -> Any:
        raise end

    settings = {} if place == "content" else {place: stop}
    with session.client(**settings) as client:
        with pytest.raises(end):
            client.post("/v1/sink", content=map(stop, [1]) if place == "content" else b"")
        assert session.client().get("/v1/whoami").is_success


CALLER: contextvars.ContextVar[str] = contextvars.ContextVar("CALLER", default="nobody")


async def test_callbacks_run_in_the_context_of_their_call(session: Session) -> None:
    seen: list[str] = []

    async def before(attempt: gatewright.AttemptRequest) -> None:
        seen.append(f"{attempt.headers['x-caller']} {CALLER.get()}")

    async def pieces() -> AsyncIterator[bytes]:
        seen.append(f"piece {CALLER.get()}")
        yield b"x"

    async with session.async_client(before_attempt=before) as client:

        async def call(name: str) -> None:
            CALLER.set(name)
            await client.get("/v1/whoami", headers={"x-caller": name})

        await asyncio.gather(*(call(f"task {number}") for number in range(5)))
        assert sorted(seen) == [f"task {number} task {number}" for number in range(5)]
        CALLER.set("uploader")
        await client.post("/v1/sink", content=pieces(), headers={"x-caller": "-"})
    assert seen[-1] == "piece uploader"


@pytest.mark.parametrize("place", ["before_attempt", "content"])
async def test_a_callback_of_a_cancelled_call_is_cancelled_too(session: Session, place: str) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def wait(*_: object) -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    async def pieces() -> AsyncIterator[bytes]:
        await wait()
        yield b"x"

    settings = {"before_attempt": wait} if place == "before_attempt" else {}
    async with session.async_client(**settings) as client:
        task = asyncio.ensure_future(client.post("/v1/sink", content=pieces() if place == "content" else b""))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(ended.wait(), 30)


async def test_a_token_that_one_cancelled_call_asked_for_serves_the_others(session: Session) -> None:
    begun, go = asyncio.Event(), asyncio.Event()
    asked = 0

    async def fetch() -> str:
        nonlocal asked
        asked += 1
        begun.set()
        await go.wait()
        return KEY

    async with session.async_client(auth=fetch) as client:
        first = asyncio.ensure_future(client.get("/v1/whoami"))
        await begun.wait()
        second = asyncio.ensure_future(client.get("/v1/whoami"))
        await asyncio.sleep(0.01)
        first.cancel()
        go.set()
        assert (await second).is_success
    assert asked == 1
