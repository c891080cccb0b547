"""Stripe: `Stripe-Signature: t=...,v1=...`, HMAC-SHA256 over `t.body`, under the whole secret as it is written.

Source: Stripe's documentation, "Verify webhook signatures manually".
"""

from __future__ import annotations

from . import strict
from .verdict import Refused, Request, Settings, Verified


def elements(value: bytes, separator: bytes, time_name: bytes) -> tuple[bytes, list[bytes], list[bytes]]:
    """The one timestamp, and the names and values of all elements."""
    names, contents = [], []
    for token in strict.tokens(value, separator):
        name, _, content = token.partition(b"=")
        names.append(name)
        contents.append(content)
    times = [content for name, content in zip(names, contents, strict=True) if name == time_name]
    if len(times) != 1:
        raise Refused("bad_timestamp")
    return times[0], names, contents


def verify(request: Request, settings: Settings) -> Verified:
    """Any `v1` may fit; `v0` and what is unknown is passed over."""
    keys = strict.text_secrets(settings, prefix="whsec_")
    value = strict.header(request, "Stripe-Signature")
    raw_time, names, contents = elements(value, b",", b"t")
    at = strict.timestamp(raw_time)
    strict.check_signatures(value, names)
    strict.check_time(at, settings, 300)
    strict.check_size(request, settings)
    candidates = [strict.unhex(content, 32) for name, content in zip(names, contents, strict=True) if name == b"v1"]
    index = strict.first_match(keys, candidates, "sha256", raw_time, b".", request.body)
    return Verified("stripe", "hmac-sha256", index, at, timestamp_signed=True)
