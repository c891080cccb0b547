"""Paddle Billing: `Paddle-Signature: ts=...;h1=...`, HMAC-SHA256 over `ts:body`, 5 seconds.

Source: Paddle's documentation, "Verify webhook signatures".
"""

from __future__ import annotations

from . import strict
from .stripe import elements
from .verdict import Request, Settings, Verified


def verify(request: Request, settings: Settings) -> Verified:
    """Any `h1` may fit: there are two while a secret is rotated."""
    keys = strict.text_secrets(settings)
    value = strict.header(request, "Paddle-Signature")
    raw_time, names, contents = elements(value, b";", b"ts")
    at = strict.timestamp(raw_time)
    strict.check_signatures(value, names)
    strict.check_time(at, settings, 5)
    strict.check_size(request, settings)
    candidates = [strict.unhex(content, 32) for name, content in zip(names, contents, strict=True) if name == b"h1"]
    index = strict.first_match(keys, candidates, "sha256", raw_time, b":", request.body)
    return Verified("paddle", "hmac-sha256", index, at, timestamp_signed=True)
