"""Which exception says what."""

from __future__ import annotations

import builtins
import copy
import errno
import pickle
import re
import socket
from typing import TYPE_CHECKING, Any

import pytest

import gatewright
from gatewright import _errors, _native
from mock_gateway import SOON

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_gateway import Session

CODES = _native.error_codes()


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_class_of_its_own_that_is_exported(code: str) -> None:
    kind = _errors.BY_CODE[code]
    assert kind.code == code
    name = "".join(word.capitalize() for word in code.split("_")) + "Error"
    assert kind.__name__ == name
    assert name in gatewright.__all__
    assert getattr(gatewright, name) is kind
    assert issubclass(kind, gatewright.Error)
    assert kind.__doc__


def test_there_is_no_class_without_a_code() -> None:
    assert sorted(_errors.BY_CODE) == sorted(CODES)


@pytest.mark.parametrize(
    ("builtin", "kinds"),
    [
        (builtins.TimeoutError, [gatewright.TimeoutError]),
        (
            builtins.ConnectionError,
            [
                gatewright.ConnectError,
                gatewright.ConnectionLostError,
                gatewright.OutcomeUnknownError,
                gatewright.ProtocolError,
                gatewright.TlsError,
            ],
        ),
        (
            builtins.ValueError,
            [
                gatewright.DecodeError,
                gatewright.InsecureUrlError,
                gatewright.InvalidConfigError,
                gatewright.InvalidRequestError,
            ],
        ),
    ],
)
def test_errors_are_also_what_python_calls_them(builtin: type, kinds: list[type]) -> None:
    assert {kind for kind in _errors.BY_CODE.values() if issubclass(kind, builtin)} == set(kinds)


STATUSES = [
    (400, gatewright.BadRequestError),
    (401, gatewright.AuthenticationError),
    (402, gatewright.BadRequestError),
    (403, gatewright.PermissionDeniedError),
    (404, gatewright.NotFoundError),
    (408, gatewright.TimeoutError),
    (409, gatewright.ConflictError),
    (410, gatewright.NotFoundError),
    (412, gatewright.PreconditionFailedError),
    (422, gatewright.UnprocessableError),
    (428, gatewright.PreconditionFailedError),
    (429, gatewright.RateLimitedError),
    (500, gatewright.ServerError),
    (503, gatewright.ServerError),
]


@pytest.mark.parametrize(("status", "kind"), STATUSES)
def test_every_error_status_has_its_class(session: Session, status: int, kind: type[gatewright.Error]) -> None:
    with session.client(max_attempts=1) as client, pytest.raises(gatewright.Error) as caught:
        client.get("/v1/whoami", headers={"X-Mock-Fault": str(status)})
    assert type(caught.value) is kind
    assert caught.value.status_code == status


def without_time(error: gatewright.Error) -> str:
    """What it says, without how long it took."""
    return re.sub(r"(?<=attempt, |ttempts, )[0-9.]+ m?s\b", "TIME", str(error))


def check_wrong_key(error: gatewright.Error, session: Session) -> None:
    assert error.problem is not None
    assert without_time(error) == (
        f"authentication: GET {session.url}/v1/whoami was answered 401 Unauthorized: {error.problem['detail']} "
        f"(1 attempt, TIME, request id {error.request_id}); check the API key or token"
    )
    assert error.code == "authentication"
    assert error.status_code == 401
    assert error.method == "GET"
    assert error.url == f"{session.url}/v1/whoami"
    assert error.retryability == "permanent"
    assert error.no_retry == "another attempt would not change it"
    assert error.advice == "check the API key or token"
    assert error.problem["request_id"] == error.request_id
    assert error.headers is not None
    assert "WWW-Authenticate" in error.headers
    assert error.body.startswith(b"{")
    assert [(attempt.status, attempt.decision) for attempt in error.attempts] == [(401, "give_up")]


def test_a_wrong_key_is_an_authentication_error_with_all_its_facts(session: Session) -> None:
    with session.client(auth="sk_wrong_key") as client, pytest.raises(gatewright.AuthenticationError) as caught:
        client.get("/v1/whoami")
    check_wrong_key(caught.value, session)


async def test_a_wrong_key_is_an_authentication_error_with_all_its_facts_async(session: Session) -> None:
    async with session.async_client(auth="sk_wrong_key") as client:
        with pytest.raises(gatewright.AuthenticationError) as caught:
            await client.get("/v1/whoami")
    check_wrong_key(caught.value, session)


@pytest.fixture
def refusing_url() -> Iterator[str]:
    """The URL of a port where nobody listens, and that nobody else is given meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


def check_refused(error: gatewright.ConnectError, url: str) -> None:
    why = f"Connection refused (os error {errno.ECONNREFUSED})"
    assert without_time(error) == (
        f"connect: GET {url}/x failed: no connection ({why}) (2 attempts, TIME); no other attempt: "
        "all attempts are used up; check the address, and that the server runs and can be reached"
    )
    assert isinstance(error, ConnectionError)
    assert (error.status_code, error.headers, error.problem, error.request_id) == (None, None, None, None)
    assert error.body == b""
    assert error.retryability == "exhausted"
    assert [attempt.error for attempt in error.attempts] == [f"no connection: {why}"] * 2


def test_a_refused_connection_is_retried_and_then_a_connect_error(refusing_url: str) -> None:
    with gatewright.Client(refusing_url, retry=SOON, max_attempts=2) as client:
        with pytest.raises(gatewright.ConnectError) as caught:
            client.get("/x")
    check_refused(caught.value, refusing_url)


async def test_a_refused_connection_is_retried_and_then_a_connect_error_async(refusing_url: str) -> None:
    async with gatewright.AsyncClient(refusing_url, retry=SOON, max_attempts=2) as client:
        with pytest.raises(gatewright.ConnectError) as caught:
            await client.get("/x")
    check_refused(caught.value, refusing_url)


def test_a_server_that_speaks_no_http_is_a_protocol_error(session: Session) -> None:
    with session.client(max_attempts=1) as client, pytest.raises(gatewright.ProtocolError, match="no valid HTTP"):
        client.get("/v1/whoami", headers={"X-Mock-Fault": "garbage"})


def test_an_encoding_that_is_broken_is_a_decode_error(session: Session) -> None:
    with session.client() as client, pytest.raises(gatewright.DecodeError, match="undecodable body"):
        client.get("/v1/whoami", headers={"X-Mock-Fault": "truncated-gzip"})


def test_https_to_a_plain_server_is_a_tls_error(session: Session) -> None:
    with gatewright.Client(session.url.replace("http:", "https:"), max_attempts=1) as client:
        with pytest.raises(gatewright.TlsError, match=r"^tls: GET https://127.0.0.1:\d+/x failed: TLS failed"):
            client.get("/x")


def test_a_timeout_is_also_pythons_and_says_which(session: Session) -> None:
    with session.client(timeout=0.05) as client, pytest.raises(builtins.TimeoutError) as caught:
        client.get("/v1/delay/60000")
    assert isinstance(caught.value, gatewright.TimeoutError)
    assert "its deadline was 50 ms" in str(caught.value)
    with session.client(attempt_timeout=0.02, max_attempts=2) as client, pytest.raises(gatewright.TimeoutError) as late:
        client.get("/v1/delay/60000")
    assert "an attempt may take 20 ms" in str(late.value)
    assert len(late.value.attempts) == 2


async def test_a_timeout_is_also_pythons_and_says_which_async(session: Session) -> None:
    async with session.async_client(timeout=0.05) as client:
        with pytest.raises(builtins.TimeoutError, match="its deadline was 50 ms") as caught:
            await client.get("/v1/delay/60000")
    assert isinstance(caught.value, gatewright.TimeoutError)


def test_a_request_of_ones_own_timeout_wins(session: Session) -> None:
    with session.client(timeout=0.01) as client:
        assert client.get("/v1/delay/30", timeout=None).is_success
        assert client.get("/v1/delay/30", timeout=30).is_success


def test_redirects_that_go_astray_have_errors_of_their_own(session: Session) -> None:
    with session.client(max_redirects=2) as client:
        with pytest.raises(gatewright.CrossOriginError, match=r"another origin, http://127.0.0.1:1"):
            client.get("/v1/redirect/302", params={"to": "http://127.0.0.1:1/"})
        with pytest.raises(gatewright.RedirectError, match="after 2 redirects"):
            client.get("/v1/redirect/307", params={"to": "/v1/redirect/307?to=/v1/redirect/307?to=/v1/whoami"})


def test_a_body_that_is_too_large_is_refused(session: Session) -> None:
    with session.client(max_response_bytes=1000) as client:
        assert len(client.get("/v1/bytes/1000").content) == 1000
        with pytest.raises(gatewright.ResponseTooLargeError, match="a body of more than 1000 bytes"):
            client.get("/v1/bytes/1001")


def test_a_closed_client_says_so(session: Session) -> None:
    client = session.client()
    client.close()
    with pytest.raises(gatewright.ClosedError) as caught:
        client.get("/v1/whoami")
    assert str(caught.value) == "closed: the client is closed; make a new client, or close this one later"


async def test_a_closed_client_says_so_async(session: Session) -> None:
    client = session.async_client()
    await client.aclose()
    with pytest.raises(gatewright.ClosedError, match="closed: the client is closed"):
        await client.get("/v1/whoami")


def test_a_post_that_may_have_taken_effect_is_an_unknown_outcome(session: Session) -> None:
    with session.client(idempotency_keys=False) as client, pytest.raises(gatewright.OutcomeUnknownError) as caught:
        client.post("/v1/contacts", json={"name": "Ada"}, headers={"X-Mock-Fault": "lost"})
    assert caught.value.no_retry == "the request is not safe to repeat"
    assert "look whether it took effect" in str(caught.value)
    assert session.effects()["count"] == 1


def some_error(session: Session, **settings: Any) -> gatewright.Error:
    with session.client(**settings) as client, pytest.raises(gatewright.Error) as caught:
        client.get("/v1/contacts/nope")
    return caught.value


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_errors_travel_between_processes(session: Session, protocol: int) -> None:
    error = some_error(session)
    twin: gatewright.Error = pickle.loads(pickle.dumps(error, protocol))
    assert type(twin) is gatewright.NotFoundError
    assert str(twin) == str(error)
    facts = ["status_code", "method", "url", "request_id", "retry_after", "retryability", "no_retry", "advice"]
    for name in [*facts, "elapsed", "body", "problem", "code"]:
        assert getattr(twin, name) == getattr(error, name)
    assert twin.attempts == ()
    assert twin.headers is None


@pytest.mark.parametrize("code", CODES)
def test_every_class_travels_between_processes(code: str) -> None:
    error = _errors.BY_CODE[code]("what happened", {"status_code": 418})
    twin = pickle.loads(pickle.dumps(error))
    assert (type(twin), str(twin), twin.status_code) == (type(error), "what happened", 418)
    assert twin.args == ("what happened",)


def test_copies_of_errors_know_everything(session: Session) -> None:
    error = some_error(session)
    for twin in (copy.copy(error), copy.deepcopy(error)):
        assert twin is not error
        assert type(twin) is type(error)
        assert str(twin) == str(error)
        assert twin.attempts == error.attempts != ()
        assert twin.headers == error.headers is not None


def test_webhook_errors_travel_too() -> None:
    error = gatewright.webhooks.WebhookVerificationError("bad_signature", "no signature fits")
    twin = pickle.loads(pickle.dumps(error))
    assert (type(twin), twin.code, str(twin)) == (type(error), "bad_signature", "no signature fits")
