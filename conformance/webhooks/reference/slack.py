"""Slack, and Zoom, which signs alike: `v0=` and HMAC-SHA256 over `v0:timestamp:body`.

Source: Slack's documentation, "Verifying requests from Slack"; Zoom's, "Verify webhook events".
"""

from __future__ import annotations

from . import strict
from .verdict import Request, Settings, Verified

NAMES = {
    "slack": ("X-Slack-Request-Timestamp", "X-Slack-Signature"),
    "zoom": ("x-zm-request-timestamp", "x-zm-signature"),
}


def verify(request: Request, settings: Settings, scheme: str) -> Verified:
    """One signature, one timestamp."""
    keys = strict.text_secrets(settings)
    time_name, signature_name = NAMES[scheme]
    raw_time = strict.header(request, time_name)
    value = strict.header(request, signature_name)
    at = strict.timestamp(raw_time)
    strict.check_signatures(value)
    strict.check_time(at, settings, 300)
    strict.check_size(request, settings)
    candidate = strict.unhex(value[3:], 32) if value.startswith(b"v0=") else None
    index = strict.first_match(keys, [candidate], "sha256", b"v0:", raw_time, b":", request.body)
    return Verified(scheme, "hmac-sha256", index, at, timestamp_signed=True)
