"""SendGrid: `X-Twilio-Email-Event-Webhook-Signature`, ECDSA P-256 over timestamp and body, with nothing between them.

Source: SendGrid's documentation, "Getting started with the Event Webhook security features".
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from . import strict
from .verdict import BadSecret, Refused, Request, Settings, Verified


def key_of(secret: str) -> ec.EllipticCurvePublicKey:
    """The base64 of a SubjectPublicKeyInfo of P-256."""
    encoded = strict.unbase64(secret.encode())
    try:
        key = serialization.load_der_public_key(encoded or b"")
    except ValueError:
        raise BadSecret("no public key") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise BadSecret("no key of P-256")
    return key


def fits(key: ec.EllipticCurvePublicKey, signature: bytes, message: bytes) -> bool:
    """ECDSA with SHA-256 over DER in its only spelling."""
    try:
        if encode_dss_signature(*decode_dss_signature(signature)) != signature:
            return False
        key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def verify(request: Request, settings: Settings) -> Verified:
    """The body ends with CRLF, which is signed too."""
    keys = [key_of(secret) for secret in settings.secrets]
    if not keys:
        raise BadSecret("no key")
    raw_time = strict.header(request, "X-Twilio-Email-Event-Webhook-Timestamp")
    value = strict.header(request, "X-Twilio-Email-Event-Webhook-Signature")
    at = strict.timestamp(raw_time, only=10)
    strict.check_signatures(value)
    strict.check_time(at, settings, 300)
    strict.check_size(request, settings)
    signature = strict.unbase64(value)
    for index, key in enumerate(keys):
        if signature is not None and fits(key, signature, raw_time + request.body):
            return Verified("sendgrid", "ecdsa-p256-sha256", index, at, timestamp_signed=True)
    raise Refused("bad_signature")
