"""Schemes with a public key in a header's signature: Discord and SendGrid."""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from reference import ed25519

from .families import Families
from .kit import Kit
from .making import BODY, NOW, OTHER_PUBLIC, OTHER_SEED, PUBLIC, SEED, Headers, Maker, b64, key_file, mac

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def ec_key(name: str) -> ec.EllipticCurvePrivateKey:
    """A key of a curve, from `keys/`."""
    key = serialization.load_pem_private_key(key_file(name), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def spki(name: str) -> str:
    """Its public key, as SendGrid shows it."""
    encoded = (
        ec_key(name)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return b64(encoded)


def ecdsa(name: str, message: bytes) -> bytes:
    """A signature that is the same each time (RFC 6979), as DER."""
    return ec_key(name).sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))


def discord() -> Maker:
    """Ed25519 in hexadecimal."""
    maker = Maker("discord")
    keys = (PUBLIC.hex(), OTHER_PUBLIC.hex())
    kit = Kit(
        "discord",
        keys,
        lambda body, time, which: ed25519.sign((SEED, OTHER_SEED)[which], time + body),
        "X-Signature-Ed25519",
        time_header="X-Signature-Timestamp",
        tolerance=300,
        digits=10,
    )
    Families(maker, kit).everything()
    good, one = kit.signed(), [keys[0]]
    ping = b'{"type":1}'
    maker.add("ping", "valid", "valid", secrets=one, headers=kit.signed(ping), body=ping)
    digits = b"1" + BODY
    moved = str(NOW).encode()[:-1], b"0" + BODY
    about = "Nothing stands between timestamp and body: exactly 10 digits keep them apart."
    maker.add(
        "a-digit-moved-to-the-body",
        "hostile",
        "bad_timestamp",
        secrets=one,
        headers=kit.headers([kit.token()], moved[0]),
        body=moved[1],
        about=about,
    )
    moved_back = kit.headers([kit.token(digits)], f"{NOW}1".encode())
    maker.add(
        "a-digit-moved-to-the-timestamp",
        "hostile",
        "bad_timestamp",
        secrets=one,
        headers=moved_back,
        body=BODY,
        about=about,
    )
    far = kit.headers([kit.token(b"12" + BODY)], f"{NOW}12".encode())
    maker.add(
        "two-digits-moved-to-the-timestamp",
        "hostile",
        "bad_timestamp",
        secrets=one,
        headers=far,
        body=BODY,
        about=about,
    )
    maker.add("a-key-in-upper-case", "valid", "valid", secrets=[keys[0].upper()], headers=good)
    signature = bytearray(kit.sign(BODY, str(NOW).encode(), 0))
    grown = int.from_bytes(signature[32:], "little") + ed25519.L
    signature[32:] = grown.to_bytes(32, "little")
    about = "S + L is another spelling of S, which RFC 8032 refuses (section 5.1.7)."
    maker.add(
        "s-plus-l", "hostile", "bad_signature", secrets=one, headers=kit.headers([bytes(signature).hex()]), about=about
    )
    maker.add(
        "the-neutral-point", "hostile", "bad_signature", secrets=one, headers=kit.headers([(b"\x01" + bytes(63)).hex()])
    )
    forged = mac(PUBLIC, str(NOW).encode(), BODY)
    maker.add("hmac-under-the-public-key", "hostile", "bad_signature", secrets=one, headers=kit.headers([forged.hex()]))
    for title, key in [
        ("of-31-bytes", keys[0][:-2]),
        ("of-33-bytes", keys[0] + "00"),
        ("that-is-no-hexadecimal", keys[0][:-1] + "g"),
        ("in-base64", b64(PUBLIC)),
        ("of-zeros", "00" * 32),
        ("of-the-neutral-point", "01" + "00" * 31),
        ("that-is-no-point", "02" + "00" * 31),
        ("of-order-8", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
        ("in-another-spelling", (b"\xee" + b"\xff" * 30 + b"\x7f").hex()),
        ("with-whpk", "whpk_" + b64(PUBLIC)),
    ]:
        maker.add(f"a-key-{title}", "hostile", "key_error", secrets=[key], headers=good)
    return maker


def sendgrid() -> Maker:
    """ECDSA over P-256 in base64 of DER."""
    maker = Maker("sendgrid")
    keys = (spki("p256-one"), spki("p256-two"))
    body = b'[{"email":"a@example.com","event":"delivered","sg_event_id":"ZGVs","amount":12.50}]\r\n'
    kit = Kit(
        "sendgrid",
        keys,
        lambda body, time, which: ecdsa(("p256-one", "p256-two")[which], time + body),
        "X-Twilio-Email-Event-Webhook-Signature",
        encoding="base64",
        time_header="X-Twilio-Email-Event-Webhook-Timestamp",
        tolerance=300,
        digits=10,
        body=body,
    )
    Families(maker, kit).everything()
    one = [keys[0]]
    maker.add("the-line-end-cut-off", "tampered", "bad_signature", secrets=one, headers=kit.signed(), body=body[:-2])
    about = "Nothing stands between timestamp and body: exactly 10 digits keep them apart."
    moved = kit.headers([kit.token()], str(NOW).encode()[:-1])
    maker.add(
        "a-digit-moved-to-the-body",
        "hostile",
        "bad_timestamp",
        secrets=one,
        headers=moved,
        body=b"0" + body,
        about=about,
    )
    signature = kit.sign(body, str(NOW).encode(), 0)
    r, s = decode_dss_signature(signature)

    def refused(name: str, raw: bytes, about: str = "", verdict: str = "bad_signature") -> None:
        maker.add(name, "hostile", verdict, secrets=one, headers=kit.headers([b64(raw)]), body=body, about=about)

    about = "ECDSA has two signatures for each: whoever has one can make the other, for the same message."
    refused("the-other-s", encode_dss_signature(r, ORDER - s), about, "valid")
    refused("r-of-zero", encode_dss_signature(0, s))
    refused("s-of-zero", encode_dss_signature(r, 0))
    about = "r = s = 0 is what CVE-2022-21449 took for any message."
    refused("both-zero", encode_dss_signature(0, 0), about)
    refused("s-plus-the-order", encode_dss_signature(r, s + ORDER))
    refused("both-the-order", encode_dss_signature(ORDER, ORDER))
    refused("both-one", encode_dss_signature(1, 1))
    refused("r-and-s-without-der", r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    refused("bytes-after-der", signature + b"\0")
    refused("bytes-inside-der", signature[:1] + bytes([signature[1] + 1]) + signature[2:] + b"\0")
    refused("der-cut", signature[:-1])
    refused("der-with-a-long-length", signature[:1] + b"\x81" + signature[1:])
    refused("der-of-indefinite-length", signature[:1] + b"\x80" + signature[2:] + b"\0\0")
    padded = b"\0" + r.to_bytes(33, "big")
    refused("der-with-zeros-in-front", _der(padded, _integer(s)))
    refused("der-of-three-numbers", b"\x30" + bytes([len(signature) - 2 + 3]) + signature[2:] + b"\x02\x01\x01")
    refused("der-of-nothing", b"\x30\x00")
    negative = (r - (1 << 256)).to_bytes(33, "big", signed=True)
    refused("der-of-a-negative-number", _der(negative, _integer(s)))
    other = spki("p384")
    for title, key in [
        ("of-another-curve", other),
        ("that-is-cut", keys[0][:-4]),
        ("that-is-no-base64", "!" + keys[0][1:]),
        ("in-pem", "-----BEGIN PUBLIC KEY-----\n" + keys[0] + "\n-----END PUBLIC KEY-----\n"),
        ("that-is-no-point", b64(_raw(keys[0])[:-1] + bytes([_raw(keys[0])[-1] ^ 1]))),
        ("with-whpk", "whpk_" + b64(PUBLIC)),
        ("with-bytes-behind", b64(_raw(keys[0]) + b"\0")),
    ]:
        maker.add(f"a-key-{title}", "hostile", "key_error", secrets=[key], headers=kit.signed(), body=body)
    published = (
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpigl"
        "SI8eNEc6wEA3F+g=="
    )
    headers: Headers = [
        ("X-Twilio-Email-Event-Webhook-Timestamp", "1600112502"),
        (
            "X-Twilio-Email-Event-Webhook-Signature",
            "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM=",
        ),
    ]
    event = (
        b'[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address",'
        b'"sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",'
        b'"sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",'
        b'"smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]\r\n'
    )
    about = "The vector of SendGrid's own libraries."
    maker.add(
        "published-vector",
        "valid",
        "valid",
        secrets=[published],
        headers=headers,
        body=event,
        now=1_600_112_502,
        about=about,
    )
    return maker


def _raw(text: str) -> bytes:
    return base64.b64decode(text)


def _integer(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 8) // 8, "big")


def _der(first: bytes, second: bytes) -> bytes:
    inner = b"".join(b"\x02" + bytes([len(part)]) + part for part in (first, second))
    return b"\x30" + bytes([len(inner)]) + inner
