"""Verification and signing of webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import queue
import threading
import time
from collections import UserDict
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from gatewright.webhooks import Webhook, WebhookError, WebhookKeyError, WebhookVerificationError, generate_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mock_gateway import Session

# The vector of the Standard Webhooks specification.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
NOW = 1614265330
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": str(NOW),
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


def as_bytes(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


SHAPES: dict[str, Callable[[dict[str, str]], Any]] = {
    "dict": lambda headers: headers,
    "capital letters": lambda headers: {name.title(): value for name, value in headers.items()},
    "other mapping": lambda headers: UserDict(headers),
    "pairs": lambda headers: list(headers.items()),
    "iterator of pairs": lambda headers: iter(headers.items()),
    "pairs of bytes (ASGI scope)": as_bytes,
    "dict of bytes": lambda headers: dict(as_bytes(headers)),
    "raw (Starlette, httpx)": lambda headers: SimpleNamespace(raw=as_bytes(headers)),
    "WSGI environ": lambda headers: {
        "wsgi.input": object(),
        "wsgi.version": (1, 0),
        "CONTENT_LENGTH": "20",
        **{"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers.items()},
    },
    "lists of values": lambda headers: {name: [value] for name, value in headers.items()},
    "among others": lambda headers: {"host": "h", "cookie": "ü", "x": "\ud800", **headers},
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("body", [BODY, bytearray(BODY), memoryview(BODY), BODY.decode()])
def test_what_was_signed_verifies_in_every_shape(shape: str, body: Any) -> None:
    verified = Webhook(SECRET).verify(body, SHAPES[shape](HEADERS), now=NOW)
    assert verified.message_id == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert verified.timestamp == NOW
    assert verified.json() == {"test": 2432232314}
    assert (verified.key_index, verified.scheme, verified.algorithm) == (0, "standard-webhooks", "hmac-sha256")
    assert verified.body_bound == "full"
    assert verified.timestamp_signed
    assert verified.id_signed
    assert not verified.url_bound


def changed(**headers: str | None) -> dict[str, str]:
    given = {**HEADERS, **{f"webhook-{name}": value for name, value in headers.items()}}
    return {name: value for name, value in given.items() if value is not None}


REFUSED: list[tuple[str, bytes, Any, int]] = [
    ("bad_signature", BODY + b" ", HEADERS, NOW),
    ("bad_signature", b"", HEADERS, NOW),
    ("bad_signature", BODY, changed(signature="v1,AAAA"), NOW),
    ("bad_signature", BODY, changed(id="msg_other"), NOW),
    ("bad_signature", BODY, changed(timestamp=str(NOW + 1)), NOW),
    ("too_old", BODY, HEADERS, NOW + 301),
    ("too_new", BODY, HEADERS, NOW - 301),
    ("bad_timestamp", BODY, changed(timestamp="yesterday"), NOW),
    ("missing_header", BODY, changed(signature=None), NOW),
    ("empty_header", BODY, changed(id=""), NOW),
    ("repeated_header", BODY, [*HEADERS.items(), ("Webhook-Id", "x")], NOW),
    ("body_too_large", b"x" * (1024 * 1024 + 1), HEADERS, NOW),
]


@pytest.mark.parametrize(("code", "body", "headers", "now"), REFUSED)
def test_whatever_was_tampered_with_is_refused(code: str, body: bytes, headers: Any, now: int) -> None:
    webhook = Webhook(SECRET)
    with pytest.raises(WebhookVerificationError) as caught:
        webhook.verify(body, headers, now=now)
    assert caught.value.code == code
    assert isinstance(caught.value, WebhookError)
    assert isinstance(caught.value, ValueError)
    assert str(caught.value)
    assert webhook.explain(body, headers, now=now)


def test_the_tolerance_can_be_set() -> None:
    assert Webhook(SECRET, tolerance=1000).verify(BODY, HEADERS, now=NOW + 1000).timestamp == NOW
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET, tolerance=5).verify(BODY, HEADERS, now=NOW + 6)
    for wrong in (-1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="tolerance= is a number of seconds"):
            Webhook(SECRET, tolerance=wrong)
    with pytest.raises(ValueError, match="now= is no time"):
        Webhook(SECRET).verify(BODY, HEADERS, now=float("nan"))


def test_the_clock_is_the_systems_where_none_is_given() -> None:
    webhook = Webhook(SECRET)
    verified = webhook.verify(b"{}", webhook.sign(b"{}", message_id="m"))
    assert verified.timestamp is not None
    assert abs(verified.timestamp - time.time()) < 60


def test_the_largest_body_can_be_set() -> None:
    webhook = Webhook(SECRET, max_body=10)
    headers = webhook.sign(b"x" * 10, message_id="m", timestamp=NOW)
    assert webhook.verify(b"x" * 10, headers, now=NOW).message_id == "m"
    with pytest.raises(WebhookVerificationError, match="body is larger than 10 bytes"):
        webhook.verify(b"x" * 11, headers, now=NOW)


def test_while_secrets_are_rotated_both_fit() -> None:
    old, new = generate_secret(), generate_secret()
    webhook = Webhook([new, old])
    signed = Webhook(old).sign(BODY, message_id="m", timestamp=NOW)
    assert webhook.verify(BODY, signed, now=NOW).key_index == 1
    assert webhook.verify(BODY, webhook.sign(BODY, message_id="m", timestamp=NOW), now=NOW).key_index == 0


def test_signing_gives_what_the_specification_says() -> None:
    signed = Webhook(SECRET).sign(BODY, message_id=HEADERS["webhook-id"], timestamp=NOW)
    assert signed == HEADERS
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    content = f"{HEADERS['webhook-id']}.{NOW}.".encode() + BODY
    mac = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    assert signed["webhook-signature"] == f"v1,{mac}"


@pytest.mark.parametrize(
    ("secret", "code"),
    [
        ("", "empty_secret"),
        ([], "no_secret"),
        ("whsec_", "empty_secret"),
        ("whsec_c2hvcnQ=", "secret_too_short"),
        ("whsec_no base64", "bad_base64"),
        (" " + SECRET, "secret_whitespace"),
        ("sk_live_1", "unknown_prefix"),
    ],
)
def test_a_secret_that_cannot_be_used_is_refused_at_once(secret: Any, code: str) -> None:
    with pytest.raises(WebhookKeyError) as caught:
        Webhook(secret)
    assert caught.value.code == code


def test_new_secrets_are_good_and_all_different() -> None:
    secrets = {generate_secret() for _ in range(100)}
    assert len(secrets) == 100
    for secret in secrets:
        assert secret.startswith("whsec_")
        assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32


def test_a_body_that_was_parsed_is_a_type_error() -> None:
    parsed: Any = json.loads(BODY)
    with pytest.raises(
        TypeError, match="the raw bytes of the request, not dict; a body that was parsed is other bytes"
    ):
        Webhook(SECRET).verify(parsed, HEADERS, now=NOW)


def test_headers_that_are_none_are_a_type_error() -> None:
    for wrong in (5, ["webhook-id"], [("a", "b", "c")]):
        headers: Any = wrong
        with pytest.raises(TypeError):
            Webhook(SECRET).verify(BODY, headers, now=NOW)


def test_explain_finds_a_body_that_was_written_again() -> None:
    said = Webhook(SECRET).explain(json.dumps(json.loads(BODY), separators=(",", ":")), HEADERS, now=NOW)
    assert "parsed as JSON and written again" in said


class Receiver:
    """A server on this machine that keeps what it is sent."""

    def __init__(self) -> None:
        received: queue.Queue[tuple[bytes, Any]] = queue.Queue()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                received.put((self.rfile.read(int(self.headers["content-length"])), self.headers))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        self.received = received
        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.mark.parametrize("algorithm", ["hmac-sha256", "ed25519"])
def test_what_the_gateway_sends_verifies(session: Session, receiver: Receiver, algorithm: str) -> None:
    endpoint = session.admin(
        "POST", "webhooks/endpoints", {"url": receiver.url, "types": ["contact.*"], "key_pair": True}
    )
    webhook = Webhook(endpoint["secret"] if algorithm == "hmac-sha256" else endpoint["public_key"])
    with session.client() as client:
        contact = client.post("/v1/contacts", json={"name": "Ada"}).json()
    body, headers = receiver.received.get(timeout=30)
    verified = webhook.verify(body, headers)
    event = verified.json()
    assert verified.algorithm == algorithm
    assert (event["type"], event["data"]) == ("contact.created", contact)
    assert event["id"] == verified.message_id
    with pytest.raises(WebhookVerificationError) as caught:
        webhook.verify(body.replace(b"Ada", b"Eve"), headers)
    assert caught.value.code == "bad_signature"
    with pytest.raises(WebhookVerificationError) as late:
        webhook.verify(body, headers, now=time.time() + 3600)
    assert late.value.code == "too_old"


def test_a_key_that_verifies_does_not_sign(session: Session, receiver: Receiver) -> None:
    endpoint = session.admin("POST", "webhooks/endpoints", {"url": receiver.url, "key_pair": True})
    with pytest.raises(WebhookKeyError) as caught:
        Webhook(endpoint["public_key"]).sign(BODY, message_id="m")
    assert caught.value.code == "public_key_cannot_sign"
    (signing,) = [secret for secret in endpoint["secrets"] if secret.startswith("whsk_")]
    with pytest.raises(WebhookKeyError) as other:
        Webhook(signing).verify(BODY, HEADERS)
    assert other.value.code == "signing_key_cannot_verify"
    signed = Webhook(signing).sign(BODY, message_id="m", timestamp=NOW)
    assert Webhook(endpoint["public_key"]).verify(BODY, signed, now=NOW).algorithm == "ed25519"
