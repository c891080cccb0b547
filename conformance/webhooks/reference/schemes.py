"""All schemes by name, and a case of the corpus played through them."""

from __future__ import annotations

import base64
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from . import (
    custom,
    discord,
    github,
    http_signature,
    linear,
    mailgun,
    paddle,
    paypal,
    sendgrid,
    shopify,
    slack,
    sns,
    square,
    standard,
    stripe,
    twilio,
)
from .verdict import MAX_BODY, BadSecret, Refused, Request, Settings, Verified

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMES: dict[str, Callable[[Request, Settings], Verified]] = {
    "standard-webhooks": lambda request, settings: standard.verify(request, settings, "standard-webhooks"),
    "svix": lambda request, settings: standard.verify(request, settings, "svix"),
    "stripe": stripe.verify,
    "github": github.verify,
    "slack": lambda request, settings: slack.verify(request, settings, "slack"),
    "zoom": lambda request, settings: slack.verify(request, settings, "zoom"),
    "shopify": shopify.verify,
    "twilio": twilio.verify,
    "square": square.verify,
    "discord": discord.verify,
    "linear": linear.verify,
    "paddle": paddle.verify,
    "mailgun": mailgun.verify,
    "sendgrid": sendgrid.verify,
    "sns": sns.verify,
    "paypal": paypal.verify,
    "http-signature": http_signature.verify,
    "custom": custom.verify,
}


def header_bytes(value: str | dict[str, str]) -> bytes:
    """The value of a header in a case: text, or `{"base64": ...}` where it is none."""
    return value.encode() if isinstance(value, str) else base64.b64decode(value["base64"])


def request_of(case: dict[str, Any]) -> Request:
    """What a case says was received."""
    headers = [(name.encode(), header_bytes(value)) for name, value in case["headers"]]
    return Request(headers, base64.b64decode(case["body"]), case.get("method", "POST"), case.get("url"))


def settings_of(case: dict[str, Any]) -> Settings:
    """How a case says the receiver is set up."""
    others = dict(case.get("settings", {}))
    return Settings(
        secrets=case["secrets"],
        now=case["now"],
        tolerance=others.pop("tolerance", None),
        max_body=others.pop("max_body", MAX_BODY),
        others=others,
    )


def play(case: dict[str, Any]) -> dict[str, Any]:
    """The verdict on a case, as its `expect` has it."""
    try:
        verified = SCHEMES[case["scheme"]](request_of(case), settings_of(case))
    except Refused as refused:
        return {"verdict": refused.code}
    except BadSecret:
        return {"verdict": "key_error"}
    proven = asdict(verified)
    del proven["scheme"]
    return {"verdict": "valid", **proven}
