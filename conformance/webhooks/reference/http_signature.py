"""HTTP Message Signatures (RFC 9421): `Signature-Input`, `Signature`, and `Content-Digest` (RFC 9530) for the body.

Source: RFC 9421, sections 2 and 3.2; RFC 9530, section 2.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric import ed25519 as library_ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from . import ed25519, strict
from .structured import Inner, Malformed, dictionary, written, written_inner, written_parameters
from .verdict import BadSecret, Refused, Request, Settings, Verified

PORTS = {"https": ":443", "http": ":80"}
URL_COMPONENTS = {"@target-uri", "@authority", "@scheme", "@path", "@query", "@request-target"}
DIGESTS = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}


def key_of(secret: str) -> tuple[str, Any]:
    """The algorithm that a secret's form means, and the key."""
    if secret.startswith("whsec_"):
        decoded = strict.unbase64(secret[6:].encode())
        if decoded is None or not 24 <= len(decoded) <= 64:
            raise BadSecret("no secret")
        return "hmac-sha256", decoded
    if secret.startswith("whpk_"):
        decoded = strict.unbase64(secret[5:].encode())
        if decoded is None or not ed25519.usable_key(decoded):
            raise BadSecret("no public key")
        return "ed25519", decoded
    try:
        key = serialization.load_pem_public_key(secret.encode())
    except ValueError:
        raise BadSecret("no public key") from None
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return "ecdsa-p256-sha256", key
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048:
        return "rsa-pss-sha512", key
    if isinstance(key, library_ed25519.Ed25519PublicKey):
        raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        if ed25519.usable_key(raw):
            return "ed25519", raw
    raise BadSecret("a key of no algorithm that is known")


def fits(algorithm: str, key: Any, signature: bytes, base: bytes) -> bool:
    """Section 3.3."""
    if algorithm == "hmac-sha256":
        return strict.mac("sha256", key, base) == signature
    if algorithm == "ed25519":
        return len(signature) == 64 and ed25519.verify(key, base, signature)
    try:
        if algorithm == "ecdsa-p256-sha256":
            if len(signature) != 64:
                return False
            numbers = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
            key.verify(encode_dss_signature(*numbers), base, ec.ECDSA(hashes.SHA256()))
        else:
            # Section 3.3.1: the salt is 64 bytes long.
            key.verify(signature, base, padding.PSS(padding.MGF1(hashes.SHA512()), 64), hashes.SHA512())
    except (InvalidSignature, ValueError):
        return False
    return True


def component(request: Request, url: str | None, name: str) -> str:
    """The value of a component without parameters (sections 2.1 and 2.2)."""
    if not name.startswith("@"):
        found = strict.values(request, name)
        if not found or name != name.lower():
            raise Malformed("no such header")
        return ", ".join(re.sub(r"[ \t]*\r?\n[ \t]+", " ", value.decode()).strip(" \t") for value in found)
    if name == "@method":
        return request.method
    if name in URL_COMPONENTS and not url:
        raise Refused("missing_url")
    parts = re.fullmatch(r"(https?)://([^/?#\\@]*)(/[^?#]*)?(\?[^#]*)?(#.*)?", url or "", re.IGNORECASE)
    if not parts and name in URL_COMPONENTS:
        raise Refused("missing_url")
    if not parts:
        raise Malformed("an unknown component")
    scheme, authority = parts[1].lower(), parts[2].lower()
    values = {
        "@target-uri": url or "",
        "@authority": authority.removesuffix(PORTS[scheme]),
        "@scheme": scheme,
        "@path": parts[3] or "/",
        "@query": parts[4] or "?",
        "@request-target": (parts[3] or "/") + (parts[4] or ""),
    }
    if name not in values:
        raise Malformed("an unknown component")
    return values[name]


def base_of(request: Request, url: str | None, inner: Inner) -> bytes:
    """The signature base (section 2.5)."""
    lines, seen = [], set()
    for name, parameters in inner.items:
        if parameters or name in seen:
            raise Malformed("a component with parameters, or one that is there twice")
        seen.add(name)
        value = component(request, url, name)
        if "\n" in value or not value.isascii():
            raise Malformed("a value that would be two lines")
        lines.append(f"{written(name)}{written_parameters(parameters)}: {value}\n")
    lines.append(f'"@signature-params": {written_inner(inner)}')
    return "".join(lines).encode()


def digest_fits(request: Request) -> bool:
    """Whether every digest of a known kind is the body's, and there is one."""
    try:
        members = dictionary(b", ".join(strict.values(request, "content-digest")).decode())
    except (Malformed, UnicodeDecodeError):
        return False
    known = {name: value for name, value in members.items() if name in DIGESTS}
    return bool(known) and all(DIGESTS[name](request.body).digest() == value for name, value in known.items())


def verify(request: Request, settings: Settings) -> Verified:
    """Any label may fit."""
    keys = [key_of(secret) for secret in settings.secrets]
    key_ids = settings.others.get("key_ids", [])
    key_ids = [*key_ids, *[None] * (len(keys) - len(key_ids))]
    if not keys:
        raise BadSecret("no secret")
    inputs = b", ".join(_required(request, "Signature-Input"))
    signatures = b", ".join(_required(request, "Signature"))
    if max(len(inputs), len(signatures)) > strict.MAX_SIGNATURE_HEADER:
        raise Refused("too_many_signatures")
    try:
        described, given = dictionary(inputs.decode()), dictionary(signatures.decode())
    except (Malformed, UnicodeDecodeError):
        raise Refused("bad_signature") from None
    url = request.url if not settings.text("url") else strict.signed_url(request, settings)
    reasons = []
    for label, inner in described.items():
        signature = given.get(label)
        if not isinstance(inner, Inner) or not isinstance(signature, bytes):
            continue
        try:
            return _one(request, settings, url, inner, signature, list(zip(keys, key_ids, strict=False)))
        except Refused as refused:
            reasons.append(refused.code)
    others = [code for code in reasons if code != "bad_signature"]
    raise Refused(others[0] if others else "bad_signature")


def _required(request: Request, name: str) -> list[bytes]:
    found = strict.values(request, name)
    if not found:
        raise Refused("missing_header")
    if len(found) > 1:
        raise Refused("repeated_header")
    if not found[0]:
        raise Refused("empty_header")
    return found


def _one(
    request: Request, settings: Settings, url: str | None, inner: Inner, signature: bytes, keys: list[Any]
) -> Verified:
    parameters = dict(inner.parameters)
    created, expires = parameters.get("created"), parameters.get("expires")
    if isinstance(created, bool) or not isinstance(created, int) or not 0 <= created < 10**11:
        raise Refused("bad_timestamp")
    if expires is not None and (isinstance(expires, bool) or not isinstance(expires, int)):
        raise Refused("bad_timestamp")
    strict.check_time(created, settings, 300)
    if expires is not None and expires < settings.now:
        raise Refused("too_old")
    strict.check_size(request, settings)
    try:
        base = base_of(request, url, inner)
    except (Malformed, UnicodeDecodeError):
        raise Refused("bad_signature") from None
    names = {name for name, _ in inner.items}
    if "content-digest" in names and not digest_fits(request):
        raise Refused("bad_signature")
    for index, ((algorithm, key), key_id) in enumerate(keys):
        if key_id and parameters.get("keyid") != key_id:
            continue
        if parameters.get("alg", algorithm) != algorithm or not fits(algorithm, key, signature, base):
            continue
        if not set(settings.others.get("components", ["content-digest"])) <= names:
            raise Refused("not_covered")
        return Verified(
            "http-signature",
            algorithm,
            index,
            created,
            None,
            "full" if "content-digest" in names else "none",
            timestamp_signed=True,
            url_bound="@target-uri" in names
            or {"@authority", "@request-target"} <= names
            or {"@authority", "@path", "@query"} <= names,
        )
    raise Refused("bad_signature")
