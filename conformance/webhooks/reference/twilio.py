"""Twilio: `X-Twilio-Signature`, base64 of HMAC-SHA1 over the URL and, of a form, its parameters.

Source: Twilio's documentation, "Security: validating requests are coming from Twilio".
"""

from __future__ import annotations

import hashlib
import re

from . import strict
from .verdict import Refused, Request, Settings, Verified

PORTS = {"https": "443", "http": "80"}


def decoded(text: bytes) -> bytes:
    """Undoes the percent encoding of a form. What is no such encoding, or no UTF-8 within, Twilio never sends."""
    spaced = text.replace(b"+", b" ")
    if re.search(rb"%(?![0-9a-fA-F]{2})", spaced):
        raise Refused("body_malformed")
    found = re.sub(rb"%([0-9a-fA-F]{2})", lambda found: bytes([int(found[1], 16)]), spaced)
    try:
        found.decode()
    except UnicodeDecodeError:
        raise Refused("body_malformed") from None
    return found


def parameters(form: bytes) -> list[tuple[bytes, bytes]]:
    """The names and values of a form, blank ones as well."""
    pairs = [pair.partition(b"=") for pair in form.split(b"&") if pair]
    return [(decoded(name), decoded(value)) for name, _, value in pairs]


def spellings(url: str) -> list[str]:
    """The URL as it is, without its port, and with the port that goes without saying."""
    found = re.fullmatch(r"(https?)://([^/?#]*)(.*)", url, re.IGNORECASE | re.DOTALL)
    if not found:
        return [url]
    scheme, authority, rest = found.groups()
    user, at, host = authority.rpartition("@")
    port = re.search(r":([0-9]*)$", host)
    bare = host[: port.start()] if port else host
    with_port = host if port and port[1] else f"{bare}:{PORTS[scheme.lower()]}"
    return [url, *(f"{scheme}://{user}{at}{each}{rest}" for each in (bare, with_port))]


def verify(request: Request, settings: Settings) -> Verified:
    """A URL with `bodySHA256` has a body of any kind; without it, the body is a form."""
    keys = strict.text_secrets(settings, shortest=1)
    strict.check_size(request, settings)
    value = strict.header(request, "X-Twilio-Signature")
    url = strict.signed_url(request, settings)
    query = url.split("#")[0].partition("?")[2].encode()
    digests = [item.partition(b"=")[2] for item in query.split(b"&") if item.startswith(b"bodySHA256=")]
    signed = b""
    if digests:
        if len(digests) > 1 or strict.unhex(digests[0], 32) != hashlib.sha256(request.body).digest():
            raise Refused("bad_signature")
    else:
        form: dict[bytes, set[bytes]] = {}
        for name, content in parameters(request.body):
            form.setdefault(name, set()).add(content)
        signed = b"".join(name + content for name in sorted(form) for content in sorted(form[name]))
    strict.check_signatures(value)
    candidate = strict.unbase64(value)
    bound = "full" if digests else "fields"
    for spelling in spellings(url):
        try:
            index = strict.first_match(keys, [candidate], "sha1", spelling.encode(), signed)
        except Refused:
            continue
        message_id = strict.unsigned_id(request, "I-Twilio-Idempotency-Token")
        return Verified("twilio", "hmac-sha1", index, None, message_id, bound, url_bound=True)
    raise Refused("bad_signature")
