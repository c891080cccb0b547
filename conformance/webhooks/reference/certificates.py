"""Certificates that a provider points at: which places are its own, and what the certificate's key says.

The caller fetches; what it hands in is a PEM text.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from .verdict import Refused, Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives import hashes


def check_url(url: str, is_host: Callable[[str], bool], is_path: Callable[[str], bool]) -> None:
    """`https`, one of the provider's own hosts, no user, no other port, no tricks."""
    found = re.fullmatch(r"https://([A-Za-z0-9.-]+)(?::443)?(/[A-Za-z0-9._~/-]*)", url)
    if not found or not is_host(found[1]) or not is_path(found[2]):
        raise Refused("bad_certificate_url")


def key_of(settings: Settings) -> rsa.RSAPublicKey:
    """The RSA key of the certificate, which must be valid now."""
    pem = settings.text("certificate")
    if pem is None:
        raise Refused("missing_certificate")
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        key = certificate.public_key()
    except ValueError:
        raise Refused("bad_certificate") from None
    now = dt.datetime.fromtimestamp(settings.now, dt.timezone.utc)
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise Refused("bad_certificate")
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < 2048:
        raise Refused("bad_certificate")
    return key


def rsa_fits(key: rsa.RSAPublicKey, signature: bytes, message: bytes, algorithm: hashes.HashAlgorithm) -> bool:
    """RSASSA-PKCS1-v1_5 (RFC 8017, section 8.2)."""
    try:
        key.verify(signature, message, padding.PKCS1v15(), algorithm)
    except InvalidSignature:
        return False
    return True


def utc(text: str) -> int:
    """Unix seconds of `2024-01-31T23:59:59Z`, with or without a fraction."""
    found = re.fullmatch(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]{1,9})?Z", text)
    if not found:
        raise Refused("bad_timestamp")
    try:
        at = dt.datetime.strptime(found[1], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=dt.timezone.utc)
    except ValueError:
        raise Refused("bad_timestamp") from None
    return int(at.timestamp())
