"""Certificates of test keys, the same each time, and RSA signatures that are so too."""

from __future__ import annotations

import datetime as dt
import hashlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from .making import key_file


def rsa_key(name: str) -> rsa.RSAPrivateKey:
    """A key of `keys/`."""
    key = serialization.load_pem_private_key(key_file(f"rsa-{name}"), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def certificate(name: str, years: tuple[int, int] = (2020, 2040), kind: str = "rsa") -> str:
    """A certificate that signs itself, as PEM."""
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    if kind == "rsa":
        key = rsa_key(name)
    else:
        loaded = serialization.load_pem_private_key(key_file(name), None)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)
        key = loaded
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"test {name} of the corpus")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime(years[0], 1, 1, tzinfo=dt.timezone.utc))
        .not_valid_after(dt.datetime(years[1], 1, 1, tzinfo=dt.timezone.utc))
    )
    made = builder.sign(key, hashes.SHA256(), ecdsa_deterministic=None if kind == "rsa" else True)
    return made.public_bytes(serialization.Encoding.PEM).decode()


def pkcs1(name: str, message: bytes, algorithm: hashes.HashAlgorithm) -> bytes:
    """RSASSA-PKCS1-v1_5."""
    return rsa_key(name).sign(message, padding.PKCS1v15(), algorithm)


def pss_sha512(name: str, message: bytes, salt_length: int = 64) -> bytes:
    """RSASSA-PSS (RFC 8017, section 9.1.1) with a salt that is the same each time, so that the corpus is."""
    numbers = rsa_key(name).private_numbers()
    modulus = numbers.public_numbers.n
    size = (modulus.bit_length() + 7) // 8
    salt = (b"salt" * 16)[:salt_length]
    digest = hashlib.sha512(bytes(8) + hashlib.sha512(message).digest() + salt).digest()
    data = (b"\x01" + salt).rjust(size - 65, b"\0")
    mask = b"".join(hashlib.sha512(digest + count.to_bytes(4, "big")).digest() for count in range(8))
    masked = bytearray(left ^ right for left, right in zip(data, mask, strict=False))
    masked[0] &= 0x7F
    encoded = int.from_bytes(bytes(masked) + digest + b"\xbc", "big")
    return pow(encoded, numbers.d, modulus).to_bytes(size, "big")
