"""A secret goes onto the wire and nowhere else."""

from __future__ import annotations

import base64
import logging
import pickle
import traceback
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

import gatewright
from gatewright import ApiKey, Basic, Bearer, Token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mock_gateway import Session

CANARY = "canary-s3cret/+&="
SPELLINGS = [
    CANARY,
    quote(CANARY),
    quote(CANARY, safe=""),
    base64.b64encode(CANARY.encode()).decode(),
    base64.b64encode(f"me:{CANARY}".encode()).decode(),
]

AUTHS: dict[str, Callable[[], Any]] = {
    "str": lambda: CANARY,
    "Bearer": lambda: Bearer(CANARY),
    "pair": lambda: ("me", CANARY),
    "Basic": lambda: Basic("me", CANARY),
    "header": lambda: ApiKey(CANARY),
    "query": lambda: ApiKey(CANARY, query="sig"),
    "cookie": lambda: ApiKey(CANARY.replace(",", ""), cookie="sid"),
    "callback": lambda: lambda: CANARY,
    "token": lambda: lambda: Token(CANARY, expires_in=60),
}
KINDS = pytest.mark.parametrize("kind", AUTHS)


class Told:
    """Everything that a program could show of what happened."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def about(self, *things: object) -> None:
        for thing in things:
            self.texts += [str(thing), repr(thing), f"{thing:}"]
            if isinstance(thing, BaseException):
                told = traceback.TracebackException.from_exception(thing, capture_locals=True)
                # The test's own frames hold the secret: they are the program's, not the package's.
                for part in (told, told.__cause__, told.__context__):
                    if part is not None:
                        part.stack[:] = [frame for frame in part.stack if "gatewright" in frame.filename.split("/")]
                self.texts += told.format()
                self.texts += [repr(vars(thing)), repr(pickle.dumps(thing))]
            if isinstance(thing, gatewright.Error):
                self.texts += [thing.advice, repr(thing.body), repr(thing.problem), *map(repr, thing.attempts)]

    def has_no_secret(self) -> None:
        for text in self.texts:
            for spelling in SPELLINGS:
                assert spelling not in text, text


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Iterator[Told]:
    caplog.set_level(logging.DEBUG)
    told = Told()
    yield told
    records = caplog.get_records("call")
    assert records
    told.texts += [record.getMessage() for record in records]
    told.has_no_secret()


FAULTS = ["reset", "503", "401", "422", "garbage", "short", "bad-chunk", "lost"]


def fails(session: Session, told: Told, path: str, kind: str, **options: Any) -> None:
    def before(attempt: gatewright.AttemptRequest) -> None:
        told.about(attempt, attempt.url, dict(attempt.headers))

    def after(attempt: gatewright.AttemptResult) -> None:
        told.about(attempt, attempt.url, attempt.error)

    client = session.client(auth=AUTHS[kind](), max_attempts=2, before_attempt=before, after_attempt=after)
    with client, pytest.raises(gatewright.Error) as caught:
        client.post(path, json={}, **options)
    told.about(caught.value, client, client.base_url, client.state(), vars(client))


@KINDS
@pytest.mark.parametrize("fault", FAULTS)
def test_no_failure_shows_the_secret(session: Session, told: Told, kind: str, fault: str) -> None:
    session.set(auth="off")
    fails(session, told, "/v1/contacts", kind, headers={"X-Mock-Fault": fault})


@KINDS
def test_no_answer_that_echoes_the_secret_shows_it(session: Session, told: Told, kind: str) -> None:
    session.set(auth="off")
    session.script("contacts.create", f'422;body="you sent {CANARY}"')
    fails(session, told, "/v1/contacts", kind)


@KINDS
@pytest.mark.parametrize("wrong", ["timeout", "headers", "refused", "timed out"])
def test_no_mistake_shows_the_secret(session: Session, told: Told, kind: str, wrong: str) -> None:
    settings: dict[str, Any] = {"auth": AUTHS[kind](), "max_attempts": 1}
    url = session.url
    path = "/v1/delay/1000"
    if wrong == "timeout":
        settings["timeout"] = float("nan")
    elif wrong == "headers":
        settings["headers"] = {"a b": "c"}
    elif wrong == "refused":
        url = "http://127.0.0.1:1"
    else:
        settings["timeout"] = 0.02
    with pytest.raises(gatewright.Error) as caught:
        gatewright.Client(url, **settings).get(path)
    told.about(caught.value)


@pytest.mark.parametrize("url", ["ftp://me:{}@h.example", "http://me:{}@h.example", "http://me:{}@127.0.0.1:1"])
def test_no_error_shows_the_password_of_a_url(url: str) -> None:
    with pytest.raises(gatewright.Error) as caught:
        gatewright.Client(url.format(quote(CANARY, safe="")), max_attempts=1).get("/x")
    told = Told()
    told.texts += [str(caught.value), repr(caught.value), repr(vars(caught.value))]
    told.has_no_secret()


@KINDS
async def test_no_failure_of_asyncio_shows_the_secret(session: Session, told: Told, kind: str) -> None:
    session.set(auth="off")
    async with session.async_client(auth=AUTHS[kind](), max_attempts=2) as client:
        with pytest.raises(gatewright.Error) as caught:
            await client.get("/v1/whoami", headers={"X-Mock-Fault": "503"})
        told.about(caught.value, client, client.state(), vars(client))


@KINDS
def test_no_success_shows_the_secret(session: Session, told: Told, kind: str) -> None:
    session.set(auth="off")
    with session.client(auth=AUTHS[kind]()) as client:
        response = client.get("/v1/whoami", headers={"X-Mock-Fault": "once:503"}, raise_for_status=False)
    told.about(response, response.url, response.timeline(), response.headers, *response.attempts)


@pytest.mark.parametrize("credential", [Bearer(CANARY), Basic("me", CANARY), ApiKey(CANARY), Token(CANARY)])
def test_no_credential_shows_its_secret(credential: object) -> None:
    assert CANARY not in repr(credential)


@pytest.mark.parametrize("kind", ["str", "Basic", "header", "cookie", "callback"])
def test_a_secret_that_no_header_can_carry_is_refused_without_being_shown(
    session: Session, told: Told, kind: str
) -> None:
    broken = CANARY + "\n"
    auths: dict[str, Any] = {
        "str": broken,
        "Basic": Basic("me:you", CANARY),
        "header": ApiKey(broken),
        "cookie": ApiKey(broken, cookie="sid"),
        "callback": lambda: broken,
    }
    with pytest.raises(gatewright.Error) as caught:
        session.client(auth=auths[kind]).get("/v1/whoami")
    told.about(caught.value)
    assert session.journal() == []


def test_a_webhook_shows_no_secret() -> None:
    secret = gatewright.webhooks.generate_secret()
    webhook = gatewright.webhooks.Webhook(secret)
    headers = webhook.sign(b"{}", message_id="m")
    verified = webhook.verify(b"{}", headers)
    with pytest.raises(gatewright.webhooks.WebhookVerificationError) as caught:
        webhook.verify(b"{}!", headers)
    with pytest.raises(gatewright.webhooks.WebhookKeyError) as short:
        gatewright.webhooks.Webhook(f"{secret}%")
    shown = f"{webhook!r} {verified!r} {caught.value!r} {webhook.explain(b'x', headers)} {short.value!r}"
    assert secret.removeprefix("whsec_")[:8] not in shown
