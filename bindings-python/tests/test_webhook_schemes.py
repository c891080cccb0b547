"""Webhooks beyond Standard Webhooks: schemes, streaming, signing, certificates, challenges, explanations."""

from __future__ import annotations

import base64
import json
import pickle
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import gatewright
from gatewright import _certificates
from gatewright._native import webhook_schemes
from gatewright.webhooks import (
    Signer,
    Template,
    Verified,
    Webhook,
    WebhookError,
    WebhookKeyError,
    WebhookVerificationError,
    generate_secret,
)

if TYPE_CHECKING:
    from mock_gateway import Session

NOW = 1_700_000_000
CORPUS = Path(__file__).resolve().parents[2] / "conformance" / "webhooks"
TEMPLATE = Template("acme-signature", "{timestamp}.{body}", timestamp_item="t=", prefix="v1=", separator=",")
URL = "https://example.com/hook"

SENDERS: dict[str, dict[str, Any]] = {
    "standard-webhooks": {"secret": generate_secret()},
    "svix": {"secret": generate_secret()},
    "stripe": {"secret": "whsec_5f3c2b1a09f8e7d6"},
    "github": {"secret": "It's a Secret to Everybody"},
    "slack": {"secret": "8f742231b10e8888abcd99yyyzzz85a5"},
    "zoom": {"secret": "zoom secret token"},
    "shopify": {"secret": "shpss_of_nobody"},
    "twilio": {"secret": "12345"},
    "square": {"secret": "asdf1234asdf1234"},
    "paddle": {"secret": "pdl_ntfset_01hkpn_of_nobody"},
    "mailgun": {"secret": "key-of-nobody"},
    "http-signature": {"secret": generate_secret()},
    "custom": {"secret": "a long secret of Acme's", "template": TEMPLATE},
}


@pytest.mark.parametrize("scheme", SENDERS)
def test_what_a_signer_signs_verifies_whole_and_in_pieces(scheme: str) -> None:
    settings: dict[str, Any] = {**SENDERS[scheme], "scheme": scheme}
    webhook = Webhook(**settings)
    for signer in (Signer(**settings), webhook):
        signed = signer.sign_request(b'{"id": 1}', message_id="0123456789", timestamp=NOW, url=URL)
        where: dict[str, Any] = {"url": signed.url, "now": NOW}
        verified = webhook.verify(signed.body, signed.headers, **where)
        assert (verified.scheme, verified.body) == (scheme, signed.body)
        verifier = webhook.verifier(signed.headers, **where)
        for at in range(0, len(signed.body), 3):
            verifier.update(signed.body[at : at + 3])
        assert proof(verifier.finish()) == proof(verified)
        with pytest.raises(WebhookVerificationError):
            webhook.verify(signed.body.replace(b"0", b"1"), dict.fromkeys(signed.headers, "x"), **where)
        assert repr(signed) == "<SignedRequest>"
        assert (signed.headers == {}) == (scheme == "mailgun")


def proof(verified: Verified) -> list[Any]:
    names = ["scheme", "algorithm", "key_index", "timestamp", "message_id", "body_bound", "timestamp_signed"]
    return [*(getattr(verified, name) for name in [*names, "id_signed", "url_bound"]), verified.replay_key("s")]


def test_every_scheme_is_named_and_others_are_not() -> None:
    assert len(webhook_schemes()) == 18
    other: Any = "stripes"
    with pytest.raises(ValueError, match=r'scheme= is "stripes"; expected one of standard-webhooks, svix, stripe'):
        Webhook("x", scheme=other)
    with pytest.raises(TypeError, match='template= is for scheme="custom"'):
        Webhook("x", scheme="stripe", template=TEMPLATE)
    assert Webhook("x", template=TEMPLATE).scheme == "custom"
    assert repr(Webhook("It's a Secret to Everybody", scheme="github")) == "<Webhook github>"


@pytest.mark.parametrize(
    ("code", "settings"),
    [
        ("missing_template", {"secret": "x", "scheme": "custom"}),
        ("missing_topic", {"scheme": "sns"}),
        ("missing_webhook_id", {"scheme": "paypal"}),
        ("no_secret", {"scheme": "github"}),
        ("unknown_prefix", {"secret": "sk_live_1", "scheme": "stripe"}),
        ("bad_component", {"secret": generate_secret(), "scheme": "http-signature", "components": ["@nothing"]}),
        ("bad_template", {"secret": "x", "template": Template("a", "{nothing}")}),
    ],
)
def test_settings_that_cannot_be_used_are_refused_at_once(code: str, settings: dict[str, Any]) -> None:
    with pytest.raises(WebhookKeyError) as caught:
        Webhook(**settings)
    assert caught.value.code == code


@pytest.mark.parametrize("name", ["algorithm", "encoding", "secret_encoding"])
def test_a_template_says_what_it_does_not_know(name: str) -> None:
    wrong: Any = {name: "md5"}
    with pytest.raises(ValueError, match=f'{name}= is "md5"; expected'):
        Template("a", "{body}", **wrong)


def test_a_stream_ends_where_it_is_too_large_and_where_it_was_finished() -> None:
    secret = generate_secret()
    webhook = Webhook(secret, max_body=10)
    headers = webhook.sign(b"x" * 11, message_id="m", timestamp=NOW)
    verifier = webhook.verifier(headers, now=NOW)
    verifier.update(b"x" * 10)
    with pytest.raises(WebhookVerificationError) as caught:
        verifier.update(b"x")
    assert caught.value.code == "body_too_large"
    finished = webhook.verifier(webhook.sign(b"", message_id="m", timestamp=NOW), now=NOW)
    verified = finished.finish()
    assert verified.body is None
    with pytest.raises(ValueError, match="not kept"):
        verified.json()
    with pytest.raises(RuntimeError, match="this verifier has finished"):
        finished.finish()
    with pytest.raises(WebhookVerificationError) as early:
        webhook.verifier({})
    assert (early.value.code, early.value.header) == ("missing_header", "webhook-id")


def test_a_large_body_is_hashed_while_others_run() -> None:
    webhook = Webhook(generate_secret(), max_body=1 << 20)
    body = b"x" * (1 << 20)
    headers = webhook.sign(body, message_id="m", timestamp=NOW)
    seen: list[str | None] = []

    def verify() -> None:
        seen.append(webhook.verify(body, headers, now=NOW).message_id)
        verifier = webhook.verifier(headers, now=NOW)
        verifier.update(body)
        seen.append(verifier.finish().message_id)

    threads = [threading.Thread(target=verify) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == ["m"] * 8


def test_the_future_may_be_refused_more_strictly() -> None:
    secret = generate_secret()
    webhook = Webhook(secret, future_tolerance=30)
    headers = webhook.sign(b"", message_id="m", timestamp=NOW)
    assert webhook.verify(b"", headers, now=NOW + 300).timestamp == NOW
    with pytest.raises(WebhookVerificationError) as caught:
        webhook.verify(b"", headers, now=NOW - 31)
    assert (caught.value.code, caught.value.header) == ("too_new", "webhook-timestamp")


def test_errors_survive_pickling() -> None:
    with pytest.raises(WebhookVerificationError) as caught:
        Webhook(generate_secret()).verify(b"", {})
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.code, str(again), again.header) == ("missing_header", str(caught.value), "webhook-id")


def test_whoever_verifies_with_a_public_key_does_not_sign() -> None:
    public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    with pytest.raises(TypeError, match="make a Signer with the key that the sender has"):
        Webhook(public, scheme="discord").sign_request(b"{}")
    with pytest.raises(WebhookKeyError) as caught:
        Signer([], scheme="sns")
    assert caught.value.code == "cannot_sign"
    with pytest.raises(WebhookError) as missing:
        Signer("12345", scheme="twilio").sign_request(b"")
    assert missing.value.code == "missing_url"


def sns(kind: str = "valid") -> dict[str, Any]:
    cases: list[dict[str, Any]] = json.loads((CORPUS / "sns.json").read_text(encoding="utf-8"))
    return next(case for case in cases if case["kind"] == kind)


def test_a_certificate_is_fetched_once_and_kept() -> None:
    case = sns()
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        pem: str = case["settings"]["certificate"]
        return pem.encode()

    webhook = Webhook(scheme="sns", topic_arn=case["settings"]["topic_arn"], fetch_certificate=fetch)
    body = base64.b64decode(case["body"])
    for _ in range(3):
        assert webhook.verify(body, {}, now=case["now"]).body_bound == "fields"
    assert len(asked) == 1
    assert asked[0].startswith("https://sns.")


def test_a_certificate_can_be_handed_in() -> None:
    case = sns()
    topic = case["settings"]["topic_arn"]
    webhook = Webhook(scheme="sns", topic_arn=topic, fetch_certificate=False)
    body = base64.b64decode(case["body"])
    with pytest.raises(WebhookVerificationError) as caught:
        webhook.verify(body, {}, now=case["now"])
    url = caught.value.certificate_url
    assert caught.value.code == "missing_certificate"
    assert url is not None
    with pytest.raises(WebhookVerificationError) as elsewhere:
        webhook.add_certificate("https://example.com/a.pem", case["settings"]["certificate"])
    assert elsewhere.value.code == "bad_certificate_url"
    webhook.add_certificate(url, case["settings"]["certificate"], now=case["now"])
    verifier = webhook.verifier({}, now=case["now"])
    verifier.update(body)
    assert verifier.finish().message_id == webhook.verify(body, {}, now=case["now"]).message_id


def test_a_fetch_that_fails_is_told_with_its_cause() -> None:
    case = sns()

    def fetch(url: str) -> bytes:
        raise OSError("no network")

    webhook = Webhook(scheme="sns", topic_arn=case["settings"]["topic_arn"], fetch_certificate=fetch)
    with pytest.raises(WebhookVerificationError, match=r"could not be fetched: .*no network") as caught:
        webhook.verify(base64.b64decode(case["body"]), {}, now=case["now"])
    assert caught.value.code == "missing_certificate"
    assert isinstance(caught.value.__cause__, OSError)


def test_the_packages_own_fetch_follows_no_redirect_and_reads_no_more_than_a_certificate(session: Session) -> None:
    with session.client(max_redirects=0, max_response_bytes=_certificates.LARGEST, max_attempts=1) as client:
        assert _certificates.read(client, "/v1/greeting")
        for path in ("/v1/nothing-here", "/v1/contacts/ct_999999"):
            with pytest.raises(gatewright.Error):
                _certificates.read(client, path)
    assert _certificates.split("https://sns.eu-west-1.amazonaws.com/a/b.pem") == (
        "https://sns.eu-west-1.amazonaws.com",
        "/a/b.pem",
    )
    for url in ("http://example.com/a", "https:///a", "file:///etc/passwd", "a"):
        with pytest.raises(ValueError, match="over https"):
            _certificates.split(url)


def test_a_stranger_cannot_have_certificates_fetched_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_certificates, "_recent", [])
    for second in range(30):
        _certificates.admit(1000.0 + second)
    with pytest.raises(RuntimeError, match="within a minute"):
        _certificates.admit(1059.0)
    _certificates.admit(1060.5)


def test_zoom_gets_its_token_back_with_its_mac() -> None:
    webhook = Webhook("zoom secret token", scheme="zoom")
    body = b'{"event":"endpoint.url_validation","payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"}}'
    signed = webhook.sign_request(body, timestamp=NOW)
    challenge = webhook.challenge(webhook.verify(body, signed.headers, now=NOW))
    assert challenge is not None
    assert (challenge.status, challenge.content_type, challenge.visit) == (200, "application/json", None)
    assert json.loads(challenge.body).keys() == {"plainToken", "encryptedToken"}
    other = webhook.sign_request(b"{}", timestamp=NOW)
    assert webhook.challenge(webhook.verify(b"{}", other.headers, now=NOW)) is None


EXPLAINED: list[tuple[str, str, bytes, dict[str, str]]] = [
    ("body_changed", "github", b'{"a":1}', {}),
    ("clock_off", "stripe", b'{"a": 1}', {}),
    ("other_scheme", "github", b'{"a": 1}', {"stripe-signature": "t=1,v1=00"}),
    ("nothing_fits", "github", b"something else", {}),
]


@pytest.mark.parametrize(("code", "scheme", "body", "instead"), EXPLAINED)
def test_an_explanation_is_text_with_a_code(code: str, scheme: str, body: bytes, instead: dict[str, str]) -> None:
    settings: dict[str, Any] = {**SENDERS[scheme], "scheme": scheme}
    webhook = Webhook(**settings)
    headers = instead or webhook.sign_request(b'{"a": 1}', timestamp=NOW).headers
    said = webhook.explain(body, headers, now=NOW + (1000 if code == "clock_off" else 0))
    assert said.code == code
    assert str(said)
    assert settings["secret"] not in said
    again = pickle.loads(pickle.dumps(said))
    assert (again, again.code) == (said, code)
