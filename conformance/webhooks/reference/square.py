"""Square: `x-square-hmacsha256-signature`, base64 of HMAC-SHA256 over the notification URL and the body.

Source: Square's documentation, "Validate webhook notifications".
"""

from __future__ import annotations

from . import strict
from .verdict import Request, Settings, Verified


def verify(request: Request, settings: Settings) -> Verified:
    """The URL is the one set up at Square; where that is not known, the one the caller says was asked for."""
    keys = strict.text_secrets(settings)
    value = strict.header(request, "x-square-hmacsha256-signature")
    url = strict.signed_url(request, settings)
    strict.check_signatures(value)
    strict.check_size(request, settings)
    index = strict.first_match(keys, [strict.unbase64(value)], "sha256", url.encode(), request.body)
    return Verified("square", "hmac-sha256", index, url_bound=True)
