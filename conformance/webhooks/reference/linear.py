"""Linear: `Linear-Signature`, hexadecimal HMAC-SHA256 over the body, whose `webhookTimestamp` is in milliseconds.

Source: Linear's documentation, "Webhooks: securing webhooks".
"""

from __future__ import annotations

from . import json_body, strict
from .verdict import Refused, Request, Settings, Verified


def verify(request: Request, settings: Settings) -> Verified:
    """The timestamp is that of the body, at its top: the one in the headers is not signed."""
    keys = strict.text_secrets(settings)
    strict.check_size(request, settings)
    value = strict.header(request, "Linear-Signature")
    at = json_body.parse(request.body).once("webhookTimestamp").get("webhookTimestamp")
    if isinstance(at, bool) or not isinstance(at, int) or at < 0 or at >= 10**14:
        raise Refused("bad_timestamp")
    strict.check_signatures(value)
    strict.check_time(at // 1000, settings, 60)
    index = strict.first_match(keys, [strict.unhex(value, 32)], "sha256", request.body)
    message_id = strict.unsigned_id(request, "Linear-Delivery")
    return Verified("linear", "hmac-sha256", index, at // 1000, message_id, timestamp_signed=True)
