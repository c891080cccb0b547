"""Discord: `X-Signature-Ed25519` over timestamp and body, with nothing between them.

Source: Discord's documentation, "Interactions: setting up an endpoint".
"""

from __future__ import annotations

from . import ed25519, strict
from .verdict import BadSecret, Refused, Request, Settings, Verified


def verify(request: Request, settings: Settings) -> Verified:
    """Ed25519 with the application's public key in hexadecimal."""
    keys = [strict.unhex(secret.encode(), 32) for secret in settings.secrets]
    if not keys or any(key is None or not ed25519.usable_key(key) for key in keys):
        raise BadSecret("no Ed25519 public key in hexadecimal")
    raw_time = strict.header(request, "X-Signature-Timestamp")
    value = strict.header(request, "X-Signature-Ed25519")
    at = strict.timestamp(raw_time, only=10)
    strict.check_signatures(value)
    strict.check_time(at, settings, 300)
    strict.check_size(request, settings)
    signature = strict.unhex(value, 64)
    for index, key in enumerate(keys):
        if key is not None and signature is not None and ed25519.verify(key, raw_time + request.body, signature):
            return Verified("discord", "ed25519", index, at, timestamp_signed=True)
    raise Refused("bad_signature")
