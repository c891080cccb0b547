"""PayPal, whose signature covers the body by its CRC32 alone."""

from __future__ import annotations

import zlib
from typing import Any

from cryptography.hazmat.primitives import hashes

from .certificate import certificate, pkcs1
from .families import with_value, without
from .making import BODY, NOW, Headers, Maker, b64

ID = "69cd13f0-d67a-11e5-baa3-778b53f4ae55"
WEBHOOK_ID = "1JE4291016473214C"
TIME = "2023-11-14T22:13:20Z"
CERT_URL = "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-5a29e601"
NAMES = [f"PAYPAL-TRANSMISSION-{part}" for part in ("ID", "TIME", "SIG")] + ["PAYPAL-CERT-URL", "PAYPAL-AUTH-ALGO"]


def signature(message_id: bytes, time: bytes, webhook_id: str, body: bytes, key: str = "paypal") -> str:
    """What PayPal signs."""
    text = b"|".join([message_id, time, webhook_id.encode(), str(zlib.crc32(body)).encode()])
    return b64(pkcs1(key, text, hashes.SHA256()))


def headers(
    message_id: bytes = ID.encode(), time: bytes = TIME.encode(), text: str | None = None, body: bytes = BODY
) -> Headers:
    """All headers of a delivery."""
    if text is None:
        text = signature(message_id, time, WEBHOOK_ID, body)
    values: list[bytes | str] = [message_id, time, text, CERT_URL, "SHA256withRSA"]
    return list(zip(NAMES, values, strict=True))


def same_crc(body: bytes, prefix: bytes) -> bytes:
    """Another body with the CRC32 of this one: four bytes behind the prefix do it."""
    wanted = zlib.crc32(body) ^ 0xFFFFFFFF
    table = [_row(n) for n in range(256)]
    places = []
    for _ in range(4):
        place = next(n for n in range(256) if table[n] >> 24 == wanted >> 24)
        places.append(place)
        wanted = ((wanted ^ table[place]) << 8) & 0xFFFFFFFF
    state = zlib.crc32(prefix) ^ 0xFFFFFFFF
    tail = bytearray()
    for place in reversed(places):
        tail.append((state & 0xFF) ^ place)
        state = (state >> 8) ^ table[place]
    return prefix + bytes(tail)


def _row(number: int) -> int:
    for _ in range(8):
        number = (number >> 1) ^ (0xEDB88320 if number & 1 else 0)
    return number


def paypal() -> Maker:
    """All cases."""
    maker = Maker("paypal")
    good_certificate = certificate("paypal")

    def add(name: str, kind: str, verdict: str, given: Headers, about: str = "", **more: Any) -> None:
        settings = {"webhook_id": WEBHOOK_ID, "certificate": good_certificate, **more.pop("settings", {})}
        settings = {title: value for title, value in settings.items() if value is not None}
        maker.add(name, kind, verdict, secrets=[], headers=given, settings=settings, about=about, **more)

    good = headers()
    add(
        "as-sent",
        "valid",
        "valid",
        good,
        message_id=ID,
        id_signed=True,
        timestamp=NOW,
        body_bound="crc32",
        algorithm="rsa-sha256",
    )
    add("header-names-in-lower-case", "valid", "valid", [(name.lower(), value) for name, value in good])
    add("header-names-as-words", "valid", "valid", [(name.title(), value) for name, value in good])
    for title, body in [("empty", b""), ("binary", bytes(range(256))), ("of-crc-0", same_crc(b"", b"x"))]:
        add(f"body-{title}", "valid", "valid", headers(body=body), body=body)
    add("time-with-fraction", "valid", "valid", headers(time=b"2023-11-14T22:13:20.500Z"))
    for title, time in [("as-old-as-allowed", b"2023-11-14T22:08:20Z"), ("as-new-as-allowed", b"2023-11-14T22:18:20Z")]:
        add(title, "valid", "valid", headers(time=time))
    for title, time in [
        ("a-second-too-old", b"2023-11-14T22:08:19Z"),
        ("a-day-old", b"2023-11-13T22:13:20Z"),
        ("a-year-old", b"2022-11-14T22:13:20Z"),
    ]:
        add(title, "expired", "too_old", headers(time=time))
    for title, time in [
        ("a-second-too-new", b"2023-11-14T22:18:21Z"),
        ("a-day-ahead", b"2023-11-15T22:13:20Z"),
        ("of-the-year-9999", b"9999-12-31T23:59:59Z"),
    ]:
        add(title, "future", "too_new", headers(time=time))
    add("old-but-tolerated", "valid", "valid", headers(time=b"2023-11-14T22:00:00Z"), settings={"tolerance": 1000})
    add("body-changed", "tampered", "bad_signature", good, body=BODY.replace(b"12", b"13"))
    add("body-a-byte-more", "tampered", "bad_signature", good, body=BODY + b"\n")
    add("body-emptied", "tampered", "bad_signature", good, body=b"")
    about = "CRC32 binds nothing against somebody who wants it: `body_bound` is `crc32`."
    add(
        "body-with-the-same-crc",
        "hostile",
        "valid",
        good,
        about,
        body=same_crc(BODY, b'{"amount":99999,"pad":"'),
        body_bound="crc32",
    )
    for name, other in [("ID", "other"), ("TIME", "2023-11-14T22:13:21Z")]:
        add(
            f"{name.lower()}-changed",
            "tampered",
            "bad_signature",
            with_value(good, f"PAYPAL-TRANSMISSION-{name}", other),
        )
    add("another-webhook-id", "tampered", "bad_signature", good, settings={"webhook_id": "OTHER"})
    add("webhook-id-in-lower-case", "tampered", "bad_signature", good, settings={"webhook_id": WEBHOOK_ID.lower()})
    add(
        "another-key",
        "tampered",
        "bad_signature",
        headers(text=signature(ID.encode(), TIME.encode(), WEBHOOK_ID, BODY, "other")),
    )
    add("another-certificate", "tampered", "bad_signature", good, settings={"certificate": certificate("other")})
    add(
        "a-certificate-renewed-meanwhile",
        "rotated",
        "valid",
        headers(text=signature(ID.encode(), TIME.encode(), WEBHOOK_ID, BODY, "other")),
        settings={"certificate": certificate("other")},
    )
    hexadecimal = f"{zlib.crc32(BODY):08x}"
    text = b"|".join([ID.encode(), TIME.encode(), WEBHOOK_ID.encode(), hexadecimal.encode()])
    add("crc-in-hexadecimal", "hostile", "bad_signature", headers(text=b64(pkcs1("paypal", text, hashes.SHA256()))))
    text = b"|".join([ID.encode(), TIME.encode(), WEBHOOK_ID.encode(), BODY])
    add("signed-over-the-body", "hostile", "bad_signature", headers(text=b64(pkcs1("paypal", text, hashes.SHA256()))))
    text = b"|".join([ID.encode(), TIME.encode(), WEBHOOK_ID.encode(), str(zlib.crc32(BODY)).encode()])
    add("signed-with-sha-1", "hostile", "bad_signature", headers(text=b64(pkcs1("paypal", text, hashes.SHA1()))))
    negative = next(n for n in range(99) if zlib.crc32(BODY + b" " * n) >> 31)
    body = BODY + b" " * negative
    add("crc-over-31-bits", "valid", "valid", headers(body=body), body=body)
    signed = f"{ID}|{TIME}|{WEBHOOK_ID}|{zlib.crc32(body) - (1 << 32)}".encode()
    about = "The CRC is an unsigned number."
    add(
        "crc-as-a-negative-number",
        "hostile",
        "bad_signature",
        headers(text=b64(pkcs1("paypal", signed, hashes.SHA256()))),
        about,
        body=body,
    )

    for name, value in good:
        what = name.removeprefix("PAYPAL-").lower()
        add(f"no-{what}", "malformed", "missing_header", without(good, name))
        add(f"empty-{what}", "malformed", "empty_header", with_value(good, name, ""))
        add(f"{what}-twice", "hostile", "repeated_header", [*good, (name.lower(), value)])
    for title, algorithm in [
        ("sha-1", "SHA1withRSA"),
        ("none", "none"),
        ("in-lower-case", "sha256withrsa"),
        ("hmac", "HmacSHA256"),
        ("rsa-without-hash", "NONEwithRSA"),
        ("with-a-space", "SHA256withRSA "),
    ]:
        add(f"algorithm-{title}", "hostile", "bad_signature", with_value(good, "PAYPAL-AUTH-ALGO", algorithm))
    about = "Were bars allowed in the id, it could hold the time as well."
    add("a-bar-in-the-id", "hostile", "bad_message_id", headers(message_id=b"a|b"), about)
    for title, message_id in [("control-character", b"a\x01"), ("not-utf-8", b"\xff"), ("513-bytes", b"a" * 513)]:
        add(f"id-{title}", "hostile", "bad_message_id", headers(message_id=message_id))
    for title, time in [
        ("unix", b"1700000000"),
        ("without-zone", b"2023-11-14T22:13:20"),
        ("of-another-zone", b"2023-11-14T23:13:20+01:00"),
        ("with-a-space", b"2023-11-14 22:13:20Z"),
        ("of-month-13", b"2023-13-14T22:13:20Z"),
        ("of-february-30", b"2023-02-30T22:13:20Z"),
        ("of-hour-24", b"2023-11-14T24:13:20Z"),
        ("with-a-bar", b"2023-11-14T22:13:20Z|x"),
        ("space-after", b"2023-11-14T22:13:20Z "),
        ("fullwidth-digit", "\uff12023-11-14T22:13:20Z".encode()),
        ("a-word", b"now"),
        ("of-5-digits", b"12023-11-14T22:13:20Z"),
        ("date-only", b"2023-11-14"),
    ]:
        add(f"time-{title}", "hostile", "bad_timestamp", headers(time=time))
    for title, url in [
        ("of-another-host", "https://evil.example.com/v1/notifications/certs/CERT-1"),
        ("without-tls", CERT_URL.replace("https", "http")),
        ("with-the-host-as-prefix", "https://api.paypal.com.evil.example.com/v1/notifications/certs/CERT-1"),
        ("with-the-host-as-suffix", "https://evilpaypal.com/v1/notifications/certs/CERT-1"),
        ("with-the-host-as-user", "https://api.paypal.com@evil.example.com/v1/notifications/certs/CERT-1"),
        ("with-a-user", "https://user@api.paypal.com/v1/notifications/certs/CERT-1"),
        ("with-the-host-in-the-query", "https://evil.example.com/?api.paypal.com"),
        ("with-a-backslash", "https://evil.example.com\\.paypal.com/v1/notifications/certs/CERT-1"),
        ("with-another-port", "https://api.paypal.com:8443/v1/notifications/certs/CERT-1"),
        ("of-another-host-of-paypal", "https://www.paypal.com/v1/notifications/certs/CERT-1"),
        ("of-another-path", "https://api.paypal.com/v2/uploads/CERT-1"),
        ("that-climbs", "https://api.paypal.com/v1/notifications/certs/../../uploads/CERT-1"),
        ("of-a-file", "file:///v1/notifications/certs/CERT-1"),
        ("that-is-no-url", "api.paypal.com"),
        ("of-a-data-url", "data:text/plain,-----BEGIN CERTIFICATE-----"),
        ("with-a-tab", "https://evil.example.com\t.paypal.com/v1/notifications/certs/CERT-1"),
    ]:
        add(f"certificate-url-{title}", "hostile", "bad_certificate_url", with_value(good, "PAYPAL-CERT-URL", url))
    add(
        "certificate-url-of-the-sandbox",
        "valid",
        "valid",
        with_value(good, "PAYPAL-CERT-URL", CERT_URL.replace("api", "api.sandbox")),
    )
    add("no-certificate", "malformed", "missing_certificate", good, settings={"certificate": None})
    for title, pem in [
        ("that-is-none", "hello"),
        ("expired", certificate("paypal", (2020, 2023))),
        ("of-the-future", certificate("paypal", (2030, 2040))),
        ("of-a-short-key", certificate("short")),
        ("of-another-algorithm", certificate("p256-one", kind="ec")),
    ]:
        add(f"certificate-{title}", "hostile", "bad_certificate", good, settings={"certificate": pem})
    right = good[2][1]
    assert isinstance(right, str)
    for title, text_value in [
        ("cut", right[:-8]),
        ("without-padding", right.rstrip("=")),
        ("of-zeros", b64(bytes(256))),
        ("of-1", b64(bytes(255) + b"\x01")),
        ("a-word", "undefined"),
        ("space-after", right + " "),
        ("twice", right + right),
        ("in-two-with-a-comma", f"{right},{right}"),
    ]:
        add(f"signature-{title}", "malformed", "bad_signature", with_value(good, "PAYPAL-TRANSMISSION-SIG", text_value))
    add(
        "a-signature-of-9-kB",
        "hostile",
        "too_many_signatures",
        with_value(good, "PAYPAL-TRANSMISSION-SIG", right + "A" * 9000),
    )
    add("over-the-cap", "malformed", "body_too_large", good, settings={"max_body": 10})
    add("no-webhook-id", "malformed", "key_error", good, settings={"webhook_id": None})
    return maker
