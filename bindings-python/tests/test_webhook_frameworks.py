"""The adapters, each through its real framework, as installed: what arrives, what is answered, what the log says."""

from __future__ import annotations

import json
import logging
import sqlite3
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import django
import flask
import pytest
from django.conf import settings as django_settings
from django.http import HttpRequest, HttpResponse
from django.test import Client as DjangoClient
from django.urls import path
from fastapi import FastAPI, Header
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

import gatewright.webhooks.django
import gatewright.webhooks.fastapi
import gatewright.webhooks.flask
import gatewright.webhooks.starlette
from gatewright.webhooks import Challenge, Events, MemoryReplayGuard, Signer, SqlReplayGuard, Verified, Webhook

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.requests import Request

NOW = 1_700_000_000
STANDARD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"b": 1, "a": "\\u00fc"}'
OPAQUE = b"webhook verification failed"


class Answer(NamedTuple):
    status: int
    body: bytes
    content_type: str


class Send(Protocol):
    def __call__(self, body: bytes, headers: dict[str, str], path: str = "/hook") -> Answer: ...


class App(NamedTuple):
    """An application with the endpoint /hook in one framework."""

    send: Send
    seen: list[Verified]


class Handler:
    """What all endpoints do."""

    def __init__(self) -> None:
        self.seen: list[Verified] = []
        self.fails = False
        self.status = 200
        self.then: Callable[[Verified], str] | None = None

    def __call__(self, verified: Verified) -> str:
        self.seen.append(verified)
        if self.fails:
            raise RuntimeError("the handler failed")
        return self.then(verified) if self.then is not None else f"got {verified.scheme}"


def clock() -> float:
    return NOW


def in_fastapi(webhook: Webhook, handler: Handler, **settings: Any) -> Send:
    app = FastAPI()

    @app.post("/hook", response_class=PlainTextResponse)
    @gatewright.webhooks.fastapi.receive(webhook, clock=clock, **settings)
    async def hook(  # pyright: ignore[reportUnusedFunction]
        verified: Verified, user_agent: str = Header(), depth: int = 0
    ) -> PlainTextResponse:
        assert user_agent
        assert depth == 0
        return PlainTextResponse(handler(verified), handler.status)

    return of_asgi(app)


def in_fastapi_without_async(webhook: Webhook, handler: Handler, **settings: Any) -> Send:
    app = FastAPI()

    @app.post("/hook", response_class=PlainTextResponse)
    @gatewright.webhooks.fastapi.receive(webhook, clock=clock, **settings)
    def hook(event: Verified) -> Any:  # pyright: ignore[reportUnusedFunction]
        return PlainTextResponse(handler(event), handler.status)

    return of_asgi(app)


def in_starlette(webhook: Webhook, handler: Handler, **settings: Any) -> Send:
    @gatewright.webhooks.starlette.receive(webhook, clock=clock, **settings)
    async def hook(request: Request, verified: Verified) -> Response:
        assert request.method == "POST"
        return PlainTextResponse(handler(verified), handler.status)

    return of_asgi(Starlette(routes=[Route("/hook", hook, methods=["POST"])]))


def of_asgi(app: Any) -> Send:
    def send(body: bytes, headers: dict[str, str], path: str = "/hook") -> Answer:
        with TestClient(app, raise_server_exceptions=False) as client:
            answer = client.post(path, content=body, headers=headers)
        return Answer(answer.status_code, answer.content, answer.headers.get("content-type", ""))

    return send


def in_flask(webhook: Webhook, handler: Handler, **settings: Any) -> Send:
    app = flask.Flask("receiver")

    @app.post("/hook")
    @gatewright.webhooks.flask.receive(webhook, clock=clock, **settings)
    def hook(verified: Verified) -> tuple[str, int]:  # pyright: ignore[reportUnusedFunction]
        return handler(verified), handler.status

    def send(body: bytes, headers: dict[str, str], path: str = "/hook") -> Answer:
        answer = app.test_client().post(path, data=body, headers=headers)
        return Answer(answer.status_code, answer.data, answer.headers.get("content-type", ""))

    return send


if not django_settings.configured:
    django_settings.configure(
        ROOT_URLCONF="test_webhook_frameworks",
        ALLOWED_HOSTS=["*"],
        MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"],
        SECRET_KEY="of nobody",
        DATA_UPLOAD_MAX_MEMORY_SIZE=16,
    )
    django.setup()
urlpatterns: list[Any] = []


def in_django(webhook: Webhook, handler: Handler, **settings: Any) -> Send:
    @gatewright.webhooks.django.receive(webhook, clock=clock, **settings)
    def hook(request: HttpRequest, verified: Verified) -> HttpResponse:
        assert request.method == "POST"
        return HttpResponse(handler(verified), status=handler.status)

    return of_django(hook)


def in_django_with_async(webhook: Webhook, handler: Handler, **settings: Any) -> Send:
    @gatewright.webhooks.django.receive(webhook, clock=clock, **settings)
    async def hook(request: HttpRequest, verified: Verified) -> HttpResponse:
        assert request.method == "POST"
        return HttpResponse(handler(verified), status=handler.status)

    return of_django(hook)


def of_django(view: Callable[..., Any]) -> Send:
    urlpatterns[:] = [path("hook", view)]

    def send(body: bytes, headers: dict[str, str], path: str = "/hook") -> Answer:
        client = DjangoClient(enforce_csrf_checks=True, raise_request_exception=False)
        kind = {name.lower(): value for name, value in headers.items()}.get("content-type", "application/json")
        answer = client.post(path, data=body, content_type=kind, headers=headers)
        return Answer(answer.status_code, answer.content, answer.headers.get("content-type", ""))

    return send


FRAMEWORKS: dict[str, Callable[..., Send]] = {
    "fastapi": in_fastapi,
    "fastapi, def": in_fastapi_without_async,
    "starlette": in_starlette,
    "flask": in_flask,
    "django": in_django,
    "django, async def": in_django_with_async,
}


@pytest.fixture(params=FRAMEWORKS)
def framework(request: pytest.FixtureRequest) -> Callable[..., Send]:
    return FRAMEWORKS[request.param]


SENDERS: dict[str, tuple[dict[str, Any], str | None]] = {
    "standard-webhooks": ({"secret": STANDARD}, "msg_1"),
    "stripe": ({"secret": "whsec_5f3c2b1a09f8e7d6", "scheme": "stripe"}, None),
    "github": ({"secret": "It's a Secret to Everybody", "scheme": "github"}, None),
}


@pytest.mark.parametrize("sender", SENDERS)
def test_a_delivery_arrives(framework: Callable[..., Send], sender: str) -> None:
    settings, message_id = SENDERS[sender]
    handler = Handler()
    send = framework(Webhook(**settings), handler)
    signed = Signer(**settings).sign_request(BODY, message_id=message_id, timestamp=NOW)
    answer = send(BODY, signed.headers)
    assert (answer.status, answer.body) == (200, f"got {sender}".encode())
    (verified,) = handler.seen
    assert verified.body == BODY
    assert verified.json() == {"b": 1, "a": "ü"}


@pytest.mark.parametrize("sender", SENDERS)
def test_a_body_that_was_written_again_gets_400_and_the_log_says_why(
    framework: Callable[..., Send], sender: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings, message_id = SENDERS[sender]
    handler = Handler()
    send = framework(Webhook(**settings), handler)
    signed = Signer(**settings).sign_request(BODY, message_id=message_id, timestamp=NOW)
    again = json.dumps(json.loads(BODY), separators=(",", ":"), ensure_ascii=False).encode()
    with caplog.at_level(logging.WARNING, logger="gatewright.webhooks"):
        answer = send(again, signed.headers)
    assert answer == Answer(400, OPAQUE, "text/plain; charset=utf-8")
    assert handler.seen == []
    (record,) = [record for record in caplog.records if record.name == "gatewright.webhooks"]
    assert "bad_signature" in record.getMessage()
    assert "the body was parsed as JSON and written again" in record.getMessage()


def test_reasons_are_looked_for_once_in_a_while(
    framework: Callable[..., Send], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gatewright.webhooks._receiver.BETWEEN_EXPLANATIONS", 600.0)
    send = framework(Webhook(STANDARD), Handler())
    signed = Signer(STANDARD).sign(BODY, message_id="m", timestamp=NOW)
    with caplog.at_level(logging.WARNING, logger="gatewright.webhooks"):
        assert [send(BODY + b"\n", signed).status for _ in range(2)] == [400, 400]
        quiet = framework(Webhook(STANDARD), Handler(), explain=False)
        assert quiet(BODY + b"\n", signed).status == 400
    told = [record.getMessage() for record in caplog.records if record.name == "gatewright.webhooks"]
    assert ["line end" in text for text in told] == [True, False, False]
    assert all("no signature matches" in text for text in told[1:])


def test_a_body_above_the_cap_gets_413(framework: Callable[..., Send]) -> None:
    handler = Handler()
    send = framework(Webhook(STANDARD, max_body=1000), handler)
    for length in (1000, 1001):
        body = b"x" * length
        answer = send(body, Signer(STANDARD).sign(body, message_id="m", timestamp=NOW))
        assert answer.status == (200 if length == 1000 else 413)
        assert length == 1000 or answer.body == OPAQUE
    assert len(handler.seen) == 1


def test_a_challenge_is_answered(framework: Callable[..., Send]) -> None:
    settings: dict[str, Any] = {"secret": "8f742231b10e8888abcd99yyyzzz85a5", "scheme": "slack"}
    handler = Handler()
    seen: list[Challenge] = []
    send = framework(Webhook(**settings), handler, on_challenge=seen.append)
    body = b'{"type": "url_verification", "token": "t", "challenge": "3eZbrw1a"}'
    answer = send(body, Signer(**settings).sign_request(body, timestamp=NOW).headers)
    assert (answer.status, answer.body) == (200, b"3eZbrw1a")
    assert handler.seen == []
    assert len(seen) == 1
    assert send(body, {"x-slack-signature": "v0=00", "x-slack-request-timestamp": str(NOW)}).status == 400


def test_discord_gets_the_status_that_it_tests_for(framework: Callable[..., Send]) -> None:
    seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
    public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    send = framework(Webhook(public, scheme="discord"), Handler())
    ping = b'{"type":1}'
    signed = Signer(seed, scheme="discord").sign_request(ping, timestamp=NOW).headers
    answer = send(ping, signed)
    assert (answer.status, json.loads(answer.body)) == (200, {"type": 1})
    assert answer.content_type == "application/json"
    assert send(ping + b" ", signed) == Answer(401, OPAQUE, "text/plain; charset=utf-8")


def test_a_url_that_is_signed_is_the_one_that_came(framework: Callable[..., Send]) -> None:
    handler = Handler()
    send = framework(Webhook("12345", scheme="twilio", url="https://example.com"), handler)
    body = b"CallSid=CA1&Caller=%2B14158675309"
    url = "https://example.com/hook?a=%2F&b=%C3%BC"
    signed = Signer("12345", scheme="twilio").sign_request(body, url=url).headers
    headers = {**signed, "content-type": "application/x-www-form-urlencoded"}
    assert send(body, headers, "/hook?a=%2F&b=%C3%BC").status == 200
    assert handler.seen[0].url_bound
    assert send(body, headers, "/hook?a=%2F&b=other").status == 400


def guards(folder: Path) -> list[Any]:
    sql = SqlReplayGuard(lambda: sqlite3.connect(folder / "replay.db"))
    sql.create_table()
    return [MemoryReplayGuard(), sql]


def test_a_message_is_handled_once(framework: Callable[..., Send], tmp_path: Path) -> None:
    signed = Signer(STANDARD).sign(BODY, message_id="msg_1", timestamp=NOW)
    for guard in guards(tmp_path):
        handler = Handler()
        send = framework(Webhook(STANDARD), handler, guard=guard, sender="billing")
        handler.fails = True
        assert send(BODY, signed).status == 500
        handler.fails, handler.status = False, 503
        assert send(BODY, signed).status == 503
        handler.status = 200
        assert send(BODY, signed).status == 200
        assert len(handler.seen) == 3, "it failed twice, and was released each time"
        again = send(BODY, signed)
        assert (again.status, again.body) == (200, b"")
        assert len(handler.seen) == 3
        held = Signer(STANDARD).sign(BODY, message_id="msg_2", timestamp=NOW)
        key = Webhook(STANDARD).verify(BODY, held, now=NOW).replay_key("billing")
        assert guard.reserve(key, NOW).state == "new"
        assert send(BODY, held).status == 503
        assert len(handler.seen) == 3


def test_a_retry_that_was_signed_anew_is_known_by_the_id_in_its_body(framework: Callable[..., Send]) -> None:
    handler = Handler()
    settings, _ = SENDERS["stripe"]

    def event_id(verified: Verified) -> str | None:
        found: str = verified.json()["id"]
        return found

    send = framework(Webhook(**settings), handler, guard=MemoryReplayGuard(), message_id=event_id)
    body = b'{"id":"evt_1"}'
    for later in (0, 60):
        assert send(body, Signer(**settings).sign_request(body, timestamp=NOW + later).headers).status == 200
    assert len(handler.seen) == 1


def test_a_guard_that_cannot_be_asked_gets_503(
    framework: Callable[..., Send], caplog: pytest.LogCaptureFixture
) -> None:
    def away() -> Any:
        raise OSError("no database")

    handler = Handler()
    send = framework(Webhook(STANDARD), handler, guard=SqlReplayGuard(away, paramstyle="qmark"))
    with caplog.at_level(logging.ERROR, logger="gatewright.webhooks"):
        answer = send(BODY, Signer(STANDARD).sign(BODY, message_id="m", timestamp=NOW))
    assert answer.status == 503
    assert handler.seen == []
    assert "the replay guard could not be asked" in caplog.text


def test_an_event_that_cannot_be_read_gets_422_and_is_released(
    framework: Callable[..., Send], caplog: pytest.LogCaptureFixture
) -> None:
    events = Events()
    events.on("a", print, model=list[int])
    handler = Handler()

    def dispatch(verified: Verified) -> str:
        events.dispatch(verified)
        return "handled"

    handler.then = dispatch
    guard = MemoryReplayGuard()
    body = b'{"type":"a"}'
    signed = Signer(STANDARD).sign(body, message_id="m", timestamp=NOW)
    for settings in ({}, {"guard": guard}):
        answer = framework(Webhook(STANDARD), handler, **settings)(body, signed)
        assert answer == Answer(422, OPAQUE, "text/plain; charset=utf-8")
    assert len(guard) == 0
    assert "bad_payload): event a: payload is an object, and not a list" in caplog.text


def test_an_operation_needs_a_parameter_for_what_was_verified() -> None:
    def without(body: str) -> str:
        return body

    with pytest.raises(TypeError, match=r"without needs one parameter of the type gatewright\.webhooks\.Verified"):
        gatewright.webhooks.fastapi.receive(Webhook(STANDARD))(without)
