"""Shopify: `X-Shopify-Hmac-Sha256`, base64 of HMAC-SHA256 over the body, under the app's client secret.

Source: Shopify's documentation, "Deliver webhooks through HTTPS".
"""

from __future__ import annotations

from . import strict
from .verdict import Request, Settings, Verified


def verify(request: Request, settings: Settings) -> Verified:
    """No other header of Shopify's is signed."""
    keys = strict.text_secrets(settings)
    value = strict.header(request, "X-Shopify-Hmac-Sha256")
    strict.check_signatures(value)
    strict.check_size(request, settings)
    index = strict.first_match(keys, [strict.unbase64(value)], "sha256", request.body)
    return Verified("shopify", "hmac-sha256", index, message_id=strict.unsigned_id(request, "X-Shopify-Event-Id"))
