"""How strictly headers, timestamps, base64 and hexadecimal are read: one rule each, for every scheme."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from .verdict import BadSecret, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .verdict import Request, Settings

MAX_SIGNATURE_HEADER = 8192
MAX_TOKENS = 64
MAX_ID = 512
DIGITS = frozenset(b"0123456789")
HEX = frozenset(b"0123456789abcdefABCDEF")
BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def values(request: Request, name: str) -> list[bytes]:
    """All values of a header. Its name has no case."""
    wanted = name.lower().encode()
    return [value for found, value in request.headers if found.lower() == wanted]


def header(request: Request, name: str) -> bytes:
    """A required header: there once, with something in it."""
    found = values(request, name)
    if not found:
        raise Refused("missing_header")
    if len(found) > 1:
        raise Refused("repeated_header")
    if not found[0].strip(b" \t\n\r\x0c"):
        raise Refused("empty_header")
    return found[0]


def check_signatures(value: bytes, listed: list[bytes] | None = None) -> None:
    """Refuses a header that is longer than any honest sender's, or a list with more in it."""
    if len(value) > MAX_SIGNATURE_HEADER or len(listed or []) > MAX_TOKENS:
        raise Refused("too_many_signatures")


def tokens(value: bytes, separator: bytes) -> list[bytes]:
    """The parts of a list that are not empty."""
    return [token for token in value.split(separator) if token]


def usable_id(value: bytes, *, forbidden: str = "") -> str | None:
    """An id as text; None where it is too long, no UTF-8, or has control or forbidden characters."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return None
    if not text or len(value) > MAX_ID or any(ord(sign) < 0x20 or 0x7F <= ord(sign) < 0xA0 for sign in text):
        return None
    return None if any(sign in text for sign in forbidden) else text


def unsigned_id(request: Request, name: str) -> str | None:
    """An id that no signature covers: taken where it is usable, and never a reason to refuse."""
    found = values(request, name)
    return usable_id(found[0]) if len(found) == 1 else None


def timestamp(value: bytes, *, only: int | None = None) -> int:
    """Unix seconds: 1 to 11 ASCII digits and nothing else; exactly `only` where nothing stands behind them in what
    is signed, since a digit could wander over."""
    if not 1 <= len(value) <= 11 or (only and len(value) != only) or any(sign not in DIGITS for sign in value):
        raise Refused("bad_timestamp")
    return int(value)


def check_time(at: int, settings: Settings, tolerance: int | None) -> None:
    """Refuses what is too old or too new. `tolerance` is the scheme's own, None for no check."""
    allowed = settings.tolerance if settings.tolerance is not None else tolerance
    if allowed is None:
        return
    if settings.now - at > allowed:
        raise Refused("too_old")
    if at - settings.now > allowed:
        raise Refused("too_new")


def check_size(request: Request, settings: Settings) -> None:
    """Refuses a body over the cap."""
    if len(request.body) > settings.max_body:
        raise Refused("body_too_large")


def unhex(text: bytes, length: int) -> bytes | None:
    """Hexadecimal of either case for exactly `length` bytes, or None."""
    if len(text) != 2 * length or any(sign not in HEX for sign in text):
        return None
    return bytes(int(text[at : at + 2], 16) for at in range(0, len(text), 2))


def unbase64(text: bytes) -> bytes | None:
    """Standard base64 with its padding, in the only spelling that an encoder writes, or None."""
    if len(text) % 4:
        return None
    padding = 2 if text.endswith(b"==") else 1 if text.endswith(b"=") else 0
    bits = 0
    for sign in text[: len(text) - padding]:
        place = BASE64.find(sign)
        if place < 0:
            return None
        bits = bits << 6 | place
    unused = {0: 0, 1: 2, 2: 4}[padding]
    if bits & ((1 << unused) - 1):
        return None
    return (bits >> unused).to_bytes(len(text) // 4 * 3 - padding, "big")


def text_secrets(settings: Settings, *, shortest: int = 8, prefix: str = "") -> list[bytes]:
    """Secrets that are keys as they are written. A public key is never one."""
    keys = []
    for secret in settings.secrets:
        if not secret.startswith(prefix) or secret.startswith(("whpk_", "whsk_", "-----BEGIN ")):
            raise BadSecret("another scheme's")
        if len(secret.encode()) < shortest or secret.strip() != secret:
            raise BadSecret("too short, or with spaces around it")
        keys.append(secret.encode())
    if not 1 <= len(keys) <= 16:
        raise BadSecret("no secret, or too many")
    return keys


def signed_url(request: Request, settings: Settings) -> str:
    """The URL that was set up; what it leaves out, path or query, is that of the request."""
    configured, received = settings.text("url"), request.url
    if not configured:
        if not received:
            raise Refused("missing_url")
        return received
    if not received:
        return configured
    origin, path, query = _parts(configured)
    _, received_path, received_query = _parts(received)
    if not path:
        return origin + received_path + (query or received_query)
    return origin + path + (query or received_query)


def _parts(url: str) -> tuple[str, str, str]:
    """Scheme and authority, the path, and the query with its question mark."""
    whole, mark, query = url.split("#", maxsplit=1)[0].partition("?")
    scheme, separator, rest = whole.partition("://")
    if not separator:
        return "", whole, mark + query
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority}", slash + path, mark + query


def mac(hash_name: str, key: bytes, *pieces: bytes) -> bytes:
    """HMAC (RFC 2104)."""
    return hmac.new(key, b"".join(pieces), getattr(hashlib, hash_name)).digest()


def first_match(keys: list[bytes], candidates: Iterable[bytes | None], hash_name: str, *pieces: bytes) -> int:
    """Which key made one of the candidates."""
    readable = [candidate for candidate in candidates if candidate is not None]
    for index, key in enumerate(keys):
        expected = mac(hash_name, key, *pieces)
        if any(hmac.compare_digest(expected, candidate) for candidate in readable):
            return index
    raise Refused("bad_signature")
