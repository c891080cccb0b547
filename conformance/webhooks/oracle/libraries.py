"""Plays the corpus through the providers' Python libraries: which cases does each accept?

Writes one line of JSON for each library into the file `WEBHOOK_ANSWERS`: its name, its scheme, and which cases it
accepts. A library that takes one secret is asked once for each. What it raises is a refusal. Headers are handed in as a
framework hands them in: Latin-1, those that are there twice joined by a comma.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import logging
import os
from datetime import datetime, timezone
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

CORPUS = Path(__file__).parent.parent
Case = dict[str, Any]
Headers = dict[str, str]
Verify = "Callable[[Case, str, bytes, Headers], bool]"


class Parameters(dict[str, list[str]]):
    """A form's parameters, as a framework's."""

    def getall(self, name: str) -> list[str]:
        """All values of a name."""
        return self[name]


class Frozen(datetime):
    """A clock that stands still."""

    moment = 0

    @classmethod
    def now(cls, tz: Any = None) -> Frozen:
        """The time of the case."""
        return cls.fromtimestamp(cls.moment, tz=tz or timezone.utc)


def stripe(case: Case, secret: str, body: bytes, headers: Headers) -> bool:
    from stripe import WebhookSignature

    tolerance = case.get("settings", {}).get("tolerance", 300)
    return bool(WebhookSignature.verify_header(body, headers.get("stripe-signature"), secret, tolerance))


def slack(_case: Case, secret: str, body: bytes, headers: Headers) -> bool:
    from slack_sdk.signature import SignatureVerifier

    return bool(SignatureVerifier(secret).is_valid_request(body, headers))


def twilio(case: Case, secret: str, body: bytes, headers: Headers) -> bool:
    from twilio.request_validator import RequestValidator

    url = case.get("settings", {}).get("url") or case["url"]
    params: Any = Parameters()
    if "bodySHA256=" in urlsplit(url).query:
        params = body.decode()
    else:
        for name, value in parse_qsl(body.decode(), keep_blank_values=True):
            params.setdefault(name, []).append(value)
    return bool(RequestValidator(secret).validate(url, params, headers["x-twilio-signature"]))


def square(case: Case, secret: str, body: bytes, headers: Headers) -> bool:
    from square.utils.webhooks_helper import verify_signature

    url = case.get("settings", {}).get("url") or case["url"]
    signature = headers["x-square-hmacsha256-signature"]
    return verify_signature(
        request_body=body.decode(), signature_header=signature, signature_key=secret, notification_url=url
    )


def paddle(_case: Case, secret: str, body: bytes, headers: Headers) -> bool:
    from paddle_billing.Notifications import Secret, Verifier

    given = {"Paddle-Signature": headers["paddle-signature"]}
    return bool(Verifier().verify(SimpleNamespace(headers=given, body=body), Secret(secret)))


def sendgrid(_case: Case, secret: str, body: bytes, headers: Headers) -> bool:
    from sendgrid.helpers.eventwebhook import EventWebhook

    prefix = "x-twilio-email-event-webhook-"
    signature, at = headers[f"{prefix}signature"], headers[f"{prefix}timestamp"]
    return bool(EventWebhook(secret).verify_signature(body.decode(), signature, at))


def discord(_case: Case, secret: str, body: bytes, headers: Headers) -> bool:
    from discord_interactions import verify_key

    signature, at = headers.get("x-signature-ed25519"), headers.get("x-signature-timestamp")
    return signature is not None and at is not None and verify_key(body, signature, at, secret)


def standard(_case: Case, secret: str, body: bytes, headers: Headers) -> bool:
    from standardwebhooks.webhooks import Webhook

    Webhook(secret).verify(body, headers, json_parse=False)
    return True


def svix(_case: Case, secret: str, body: bytes, headers: Headers) -> bool:
    from svix.webhooks import Webhook

    Webhook(secret).verify(body, headers)
    return True


LIBRARIES: list[tuple[str, str, Any, set[str]]] = [
    ("stripe", "stripe", stripe, {"tolerance"}),
    ("slack_sdk", "slack", slack, set()),
    ("twilio", "twilio", twilio, set()),
    ("squareup", "square", square, set()),
    ("paddle-python-sdk", "paddle", paddle, set()),
    ("sendgrid", "sendgrid", sendgrid, set()),
    ("discord-interactions", "discord", discord, set()),
    ("standardwebhooks", "standard-webhooks", standard, set()),
    ("svix", "svix", svix, set()),
]


def playable(case: Case, settings: set[str]) -> bool:
    """Whether a library can be asked: it has no cap, and not every setting; a URL and a secret it must have."""
    given = set(case.get("settings", {})) - {"url"}
    asked = case["expect"]["verdict"] not in {"body_too_large", "missing_url"} and case["secrets"]
    return bool(asked) and given <= settings and not _origin(case)


def _origin(case: Case) -> bool:
    """Only ours completes a URL that was set up in part."""
    url, received = case.get("settings", {}).get("url"), case.get("url")
    return bool(url and received and (not urlsplit(url).path or (urlsplit(received).query and "?" not in url)))


def headers_of(case: Case) -> Headers:
    """As a framework has them."""
    found: Headers = {}
    for name, value in case["headers"]:
        raw = value.encode() if isinstance(value, str) else base64.b64decode(value["base64"])
        text = raw.decode("latin-1")
        key = name.lower()
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def accepts(verify: Any, case: Case) -> bool:
    """Whether any of the secrets will do."""
    body = base64.b64decode(case["body"])
    clock = mock.patch("time.time", lambda: float(case["now"]))
    paddle_verifier = import_module("paddle_billing.Notifications.Verifier")
    slack_signature = import_module("slack_sdk.signature")
    standard_webhooks = import_module("standardwebhooks.webhooks")
    Frozen.moment = case["now"]
    for secret in case["secrets"]:
        with (
            clock,
            mock.patch.object(paddle_verifier, "time", time_at(case)),
            mock.patch.object(slack_signature, "time", time_at(case)),
            mock.patch.object(standard_webhooks, "datetime", Frozen),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.suppress(Exception),
        ):
            if verify(case, secret, body, headers_of(case)):
                return True
    return False


def time_at(case: Case) -> Callable[[], float]:
    """The clock of a case."""
    return lambda: float(case["now"])


def main() -> None:
    """All libraries."""
    logging.disable(logging.CRITICAL)
    lines = []
    for package, scheme, verify, settings in LIBRARIES:
        cases = [case for case in json.loads((CORPUS / f"{scheme}.json").read_text()) if playable(case, settings)]
        verdicts = {case["name"]: accepts(verify, case) for case in cases}
        line = {"library": f"{package} (Python)", "version": version(package), "scheme": scheme, "accepts": verdicts}
        lines.append(json.dumps(line) + "\n")
    Path(os.environ["WEBHOOK_ANSWERS"]).write_text("".join(lines))


if __name__ == "__main__":
    main()
