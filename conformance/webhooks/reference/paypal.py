"""PayPal: RSA-SHA256 over `id|time|webhook id|crc32 of the body`, under the certificate at `PAYPAL-CERT-URL`.

Source: PayPal's documentation, "Integrate webhooks: verify by yourself".
"""

from __future__ import annotations

import re
import zlib

from cryptography.hazmat.primitives import hashes

from . import certificates, strict
from .verdict import BadSecret, Refused, Request, Settings, Verified

HOSTS = {"api.paypal.com", "api-m.paypal.com", "api.sandbox.paypal.com", "api-m.sandbox.paypal.com"}
PATH = re.compile(r"/v1/notifications/certs/[A-Za-z0-9_-]+")


def verify(request: Request, settings: Settings) -> Verified:
    """A body with the same CRC32 is as good as the one that was signed: `body_bound` says so."""
    webhook_id = settings.text("webhook_id")
    if not webhook_id or "|" in webhook_id:
        raise BadSecret("the webhook id is signed; without it nothing can be verified")
    strict.check_size(request, settings)
    raw_id = strict.header(request, "Paypal-Transmission-Id")
    raw_time = strict.header(request, "Paypal-Transmission-Time")
    value = strict.header(request, "Paypal-Transmission-Sig")
    url = strict.header(request, "Paypal-Cert-Url")
    algorithm = strict.header(request, "Paypal-Auth-Algo")
    message_id = strict.usable_id(raw_id, forbidden="|")
    if message_id is None:
        raise Refused("bad_message_id")
    at = certificates.utc(raw_time.decode("latin-1"))
    strict.check_signatures(value)
    strict.check_time(at, settings, 300)
    certificates.check_url(
        url.decode("latin-1"),
        HOSTS.__contains__,
        lambda path: PATH.fullmatch(path) is not None,
    )
    key = certificates.key_of(settings)
    signature = strict.unbase64(value)
    signed = b"|".join([raw_id, raw_time, webhook_id.encode(), str(zlib.crc32(request.body)).encode()])
    if algorithm != b"SHA256withRSA" or signature is None:
        raise Refused("bad_signature")
    if not certificates.rsa_fits(key, signature, signed, hashes.SHA256()):
        raise Refused("bad_signature")
    return Verified("paypal", "rsa-sha256", 0, at, message_id, "crc32", timestamp_signed=True, id_signed=True)
