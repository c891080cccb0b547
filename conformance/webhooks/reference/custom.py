"""A scheme that the user describes by a template: which header, what is signed, how it is written.

Source: the design of the templates in docs/webhooks.md.
"""

from __future__ import annotations

import base64
import re
from typing import Any

from . import ed25519, strict
from .verdict import BadSecret, Refused, Request, Settings, Verified

LENGTHS = {"hmac-sha1": 20, "hmac-sha256": 32, "hmac-sha512": 64, "ed25519": 64}


def keys(settings: Settings, template: dict[str, Any]) -> list[bytes]:
    """The keys, written as text, base64 or hexadecimal."""
    encoding = template.get("secret_encoding", "text")
    if encoding == "text":
        return strict.text_secrets(settings, shortest=1)
    found = []
    for secret in settings.secrets:
        try:
            key = base64.b64decode(secret, validate=True) if encoding == "base64" else bytes.fromhex(secret)
        except ValueError:
            raise BadSecret("not in the encoding it should have") from None
        if not key or (template["algorithm"] == "ed25519" and not ed25519.usable_key(key)):
            raise BadSecret("no key")
        found.append(key)
    if not found:
        raise BadSecret("no secret")
    return found


def verify(request: Request, settings: Settings) -> Verified:
    """Any token of the list with the template's prefix may fit."""
    template: dict[str, Any] = settings.others["template"]
    algorithm = template["algorithm"]
    configured = keys(settings, template)
    signed = template["signed"]
    raw_time, raw_id = b"", b""
    if name := template.get("id_header"):
        if "{id}" in signed:
            raw_id = strict.header(request, name)
        else:
            raw_id = (strict.unsigned_id(request, name) or "").encode()
    if name := template.get("timestamp_header"):
        raw_time = strict.header(request, name)
    value = strict.header(request, template["signature_header"])
    url = strict.signed_url(request, settings) if "{url}" in signed else ""
    message_id = strict.usable_id(raw_id) if raw_id else None
    if raw_id and message_id is None:
        raise Refused("bad_message_id")
    separator = template.get("separator")
    tokens = strict.tokens(value, separator.encode()) if separator else [value]
    if item := template.get("timestamp_item", "").encode():
        times = [token[len(item) :] for token in tokens if token.startswith(item)]
        if len(times) != 1:
            raise Refused("bad_timestamp")
        raw_time = times[0]
    has_time = bool(template.get("timestamp_header") or template.get("timestamp_item"))
    at = strict.timestamp(raw_time) if has_time else None
    strict.check_signatures(value, tokens)
    if at is not None:
        strict.check_time(at, settings, 300)
    strict.check_size(request, settings)
    places = {"{id}": raw_id, "{timestamp}": raw_time, "{body}": request.body, "{url}": url.encode()}
    pieces = re.split(r"(\{[a-z]+\})", signed)
    message = b"".join(places.get(piece, piece.encode()) for piece in pieces)
    prefix = template.get("prefix", "").encode()
    texts = [token[len(prefix) :] for token in tokens if token.startswith(prefix)]
    length = LENGTHS[algorithm]
    candidates = [
        strict.unhex(text, length) if template["encoding"] == "hex" else strict.unbase64(text) for text in texts
    ]
    index = _matching(configured, candidates, algorithm, message)
    return Verified(
        "custom",
        algorithm,
        index,
        at,
        message_id,
        "full" if "{body}" in signed else "none",
        timestamp_signed="{timestamp}" in signed,
        id_signed="{id}" in signed,
        url_bound="{url}" in signed,
    )


def _matching(configured: list[bytes], candidates: list[bytes | None], algorithm: str, message: bytes) -> int:
    if algorithm != "ed25519":
        return strict.first_match(configured, candidates, algorithm.removeprefix("hmac-"), message)
    for index, key in enumerate(configured):
        if any(signature and ed25519.verify(key, message, signature) for signature in candidates):
            return index
    raise Refused("bad_signature")
