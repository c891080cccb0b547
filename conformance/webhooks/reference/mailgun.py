"""Mailgun: `signature.{timestamp, token, signature}` in the body; nothing else of the body is signed.

Source: Mailgun's documentation, "Securing webhooks". `parent-signature` is that of the account above a subaccount.
"""

from __future__ import annotations

from . import json_body, strict
from .verdict import Refused, Request, Settings, Verified


def verify(request: Request, settings: Settings) -> Verified:
    """HMAC-SHA256 over timestamp and token, with nothing between them."""
    keys = strict.text_secrets(settings)
    strict.check_size(request, settings)
    signed = json_body.parse(request.body).once("signature").get("signature")
    if not isinstance(signed, json_body.Members):
        raise Refused("body_malformed")
    signed.once("timestamp", "token", "signature", "parent-signature")
    raw_time = signed.get("timestamp")
    if isinstance(raw_time, (int, float)) and not isinstance(raw_time, bool):
        raw_time = str(raw_time)
    if not isinstance(raw_time, str):
        raise Refused("body_malformed")
    token = json_body.text(signed, "token")
    candidates = [strict.unhex(json_body.text(signed, "signature").encode(), 32)]
    if "parent-signature" in signed:
        candidates.append(strict.unhex(json_body.text(signed, "parent-signature").encode(), 32))
    if strict.usable_id(token.encode()) is None:
        raise Refused("bad_message_id")
    at = strict.timestamp(raw_time.encode("utf-8", "replace"), only=10)
    strict.check_time(at, settings, 300)
    index = strict.first_match(keys, candidates, "sha256", raw_time.encode(), token.encode())
    return Verified("mailgun", "hmac-sha256", index, at, token, "none", timestamp_signed=True, id_signed=True)
