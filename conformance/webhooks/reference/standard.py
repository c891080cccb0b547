"""Standard Webhooks 1.0.0, `v1` and `v1a`, and Svix, whose headers have other names.

Source: the specification of Standard Webhooks; the documentation of Svix.
"""

from __future__ import annotations

from . import ed25519, strict
from .verdict import BadSecret, Refused, Request, Settings, Verified

TOLERANCE = 300
MAX_ED25519_TOKENS = 8


def keys(settings: Settings) -> list[tuple[str, bytes]]:
    """The kind of each secret, told by its prefix, and its bytes."""
    found: list[tuple[str, bytes]] = []
    for secret in settings.secrets:
        kind, _, rest = secret.partition("_")
        decoded = strict.unbase64(rest.encode()) if rest else None
        if decoded is None:
            raise BadSecret("no base64 after the prefix")
        if kind == "whsec" and 24 <= len(decoded) <= 64:
            found.append(("hmac-sha256", decoded))
        elif kind == "whpk" and ed25519.usable_key(decoded):
            found.append(("ed25519", decoded))
        else:
            raise BadSecret("neither whsec_ of 24 to 64 bytes nor whpk_ of a public key")
    if not found or len(found) > 16:
        raise BadSecret("no secret, or too many")
    public = {key for kind, key in found if kind == "ed25519"}
    if any(kind == "hmac-sha256" and key in public for kind, key in found):
        raise BadSecret("a public key used as a secret")
    return found


def verify(request: Request, settings: Settings, scheme: str) -> Verified:
    """Checks `id.timestamp.body` against every token of the list."""
    configured = keys(settings)
    prefix = "webhook"
    if scheme == "svix" and any(strict.values(request, f"svix-{part}") for part in ("id", "timestamp", "signature")):
        prefix = "svix"
    raw_id = strict.header(request, f"{prefix}-id")
    raw_time = strict.header(request, f"{prefix}-timestamp")
    listed = strict.header(request, f"{prefix}-signature")
    message_id = strict.usable_id(raw_id, forbidden=".")
    if message_id is None:
        raise Refused("bad_message_id")
    at = strict.timestamp(raw_time)
    tokens = strict.tokens(listed, b" ")
    strict.check_signatures(listed, tokens)
    if (
        sum(len(strict.unbase64(token[4:]) or b"") == 64 for token in tokens if token[:4] == b"v1a,")
        > MAX_ED25519_TOKENS
    ):
        raise Refused("too_many_signatures")
    strict.check_time(at, settings, TOLERANCE)
    strict.check_size(request, settings)
    signed = b".".join([raw_id, raw_time, request.body])
    for index, (kind, key) in enumerate(configured):
        for token in tokens:
            version, _, encoded = token.partition(b",")
            signature = strict.unbase64(encoded)
            if signature is None or version != {"hmac-sha256": b"v1", "ed25519": b"v1a"}[kind]:
                continue
            if kind == "hmac-sha256":
                fits = strict.mac("sha256", key, signed) == signature
            else:
                fits = len(signature) == 64 and ed25519.verify(key, signed, signature)
            if fits:
                return Verified(scheme, kind, index, at, message_id, "full", timestamp_signed=True, id_signed=True)
    raise Refused("bad_signature")
