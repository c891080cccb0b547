"""Standard Webhooks, `v1` and `v1a`, and Svix."""

from __future__ import annotations

import base64
import hashlib

from reference import ed25519

from .families import Families
from .kit import Kit
from .making import BODY, NOW, OTHER_PUBLIC, OTHER_SEED, PUBLIC, SEED, Headers, Maker, b64, mac

ID = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"
KEY, OTHER_KEY = b"a test key of the corpus, no secret!", b"another test key, which is no secret"
SECRET, OTHER = f"whsec_{b64(KEY)}", f"whsec_{b64(OTHER_KEY)}"
PUBLIC_KEY, OTHER_PUBLIC_KEY = f"whpk_{b64(PUBLIC)}", f"whpk_{b64(OTHER_PUBLIC)}"


def hmac_kit(scheme: str, prefix: str, name: str = "") -> Kit:
    """`v1`."""
    return Kit(
        scheme,
        (SECRET, OTHER),
        lambda body, time, which: mac((KEY, OTHER_KEY)[which], f"{ID}.".encode(), time, b".", body),
        f"{prefix}-signature",
        prefix="v1,",
        encoding="base64",
        time_header=f"{prefix}-timestamp",
        separator=" ",
        tolerance=300,
        extra=[(f"{prefix}-id", ID)],
        name=name,
    )


def ed25519_kit(scheme: str, prefix: str) -> Kit:
    """`v1a`."""
    return Kit(
        scheme,
        (PUBLIC_KEY, OTHER_PUBLIC_KEY),
        lambda body, time, which: ed25519.sign((SEED, OTHER_SEED)[which], b".".join([ID.encode(), time, body])),
        f"{prefix}-signature",
        prefix="v1a,",
        encoding="base64",
        time_header=f"{prefix}-timestamp",
        separator=" ",
        tolerance=300,
        extra=[(f"{prefix}-id", ID)],
        name="v1a",
        cheap=False,
    )


def signed_with_id(message_id: bytes, prefix: str = "webhook") -> Headers:
    """A request whose id is signed as it is, whatever it is."""
    time = str(NOW).encode()
    signature = mac(KEY, b".".join([message_id, time, BODY]))
    return [
        (f"{prefix}-id", message_id),
        (f"{prefix}-timestamp", time),
        (f"{prefix}-signature", f"v1,{b64(signature)}"),
    ]


def ids(maker: Maker) -> None:
    """What an id may be."""
    for title, message_id in [
        ("with-a-dot", b"msg_1.2"),
        ("that-is-empty-but-for-a-dot", b"."),
        ("with-a-control-character", b"msg_\x01"),
        ("with-a-line-end", b"msg_1\n"),
        ("that-is-not-utf-8", b"msg_\xff"),
        ("of-513-bytes", b"m" * 513),
    ]:
        headers = signed_with_id(message_id)
        maker.add(f"an-id-{title}", "hostile", "bad_message_id", secrets=[SECRET], headers=headers)
    for title, message_id in [
        ("of-512-bytes", b"m" * 512),
        ("beyond-ascii", "msg_\u00e9\U0001f600".encode()),
        ("of-digits", b"1700000000"),
    ]:
        headers = signed_with_id(message_id)
        maker.add(f"an-id-{title}", "valid", "valid", secrets=[SECRET], headers=headers, message_id=message_id.decode())
    good = signed_with_id(ID.encode())
    maker.add("no-id", "malformed", "missing_header", secrets=[SECRET], headers=good[1:])
    maker.add("empty-id", "malformed", "empty_header", secrets=[SECRET], headers=[("webhook-id", b""), *good[1:]])
    maker.add("id-twice", "hostile", "repeated_header", secrets=[SECRET], headers=[*good, ("Webhook-Id", ID)])
    maker.add(
        "another-id", "tampered", "bad_signature", secrets=[SECRET], headers=[("webhook-id", "msg_other"), *good[1:]]
    )
    about = "Were dots allowed, this would be the same text as an id of msg_1 and another timestamp."
    time = str(NOW).encode()
    folded = mac(KEY, b"msg_1.", time, b".", b"1.{}")
    headers = [("webhook-id", f"msg_1.{NOW}"), ("webhook-timestamp", "1"), ("webhook-signature", f"v1,{b64(folded)}")]
    maker.add(
        "a-timestamp-folded-into-the-id",
        "hostile",
        "bad_message_id",
        secrets=[SECRET],
        headers=headers,
        body=b"{}",
        about=about,
    )
    maker.add(
        "svix-headers", "malformed", "missing_header", secrets=[SECRET], headers=signed_with_id(ID.encode(), "svix")
    )


def secrets(maker: Maker) -> None:
    """What a secret may be."""
    kit = hmac_kit(maker.scheme, "webhook")
    good = kit.signed()
    low_order = [
        bytes(32),
        b"\x01" + bytes(31),
        bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ]
    low_order.append(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"))
    seed_and_public = b64(SEED + PUBLIC)
    for title, secret in [
        ("without-its-prefix", b64(KEY)),
        ("with-another-prefix", f"whsek_{b64(KEY)}"),
        ("in-upper-case", SECRET.upper()),
        ("of-23-bytes", f"whsec_{b64(KEY[:23])}"),
        ("of-65-bytes", f"whsec_{b64(bytes(65))}"),
        ("that-is-only-a-prefix", "whsec_"),
        ("without-padding", f"whsec_{b64(KEY[:32]).rstrip('=')}"),
        ("in-the-alphabet-for-urls", "whsec_" + base64.urlsafe_b64encode(b"\xfb\xff" * 16).decode()),
        ("with-a-version", f"v1,{SECRET}"),
        ("with-a-space-before", f" {SECRET}"),
        ("that-signs", f"whsk_{seed_and_public}"),
    ]:
        maker.add(f"a-secret-{title}", "hostile", "key_error", secrets=[secret], headers=good)
    for size in (24, 64):
        key = (KEY * 2)[:size]
        headers = kit.headers(["v1," + b64(mac(key, f"{ID}.{NOW}.".encode(), BODY))])
        maker.add(f"a-secret-of-{size}-bytes", "valid", "valid", secrets=[f"whsec_{b64(key)}"], headers=headers)
    about = "Everybody knows the public key: under it as an HMAC secret anybody could sign."
    forged = kit.headers(["v1," + b64(mac(PUBLIC, f"{ID}.{NOW}.".encode(), BODY))])
    maker.add(
        "hmac-under-the-public-key", "hostile", "bad_signature", secrets=[PUBLIC_KEY], headers=forged, about=about
    )
    forged = kit.headers(["v1," + b64(mac(PUBLIC_KEY.encode(), f"{ID}.{NOW}.".encode(), BODY))])
    maker.add(
        "hmac-under-the-public-key-as-text",
        "hostile",
        "bad_signature",
        secrets=[PUBLIC_KEY],
        headers=forged,
        about=about,
    )
    same = f"whsec_{b64(PUBLIC)}"
    maker.add(
        "the-public-key-as-a-secret-beside-it",
        "hostile",
        "key_error",
        secrets=[PUBLIC_KEY, same],
        headers=good,
        about=about,
    )
    for index, key in enumerate(low_order):
        maker.add(
            f"a-public-key-of-low-order-{index}", "hostile", "key_error", secrets=[f"whpk_{b64(key)}"], headers=good
        )
    not_on_curve = b"\x02" + bytes(31)
    maker.add(
        "a-public-key-that-is-no-point", "hostile", "key_error", secrets=[f"whpk_{b64(not_on_curve)}"], headers=good
    )
    maker.add("a-public-key-of-31-bytes", "hostile", "key_error", secrets=[f"whpk_{b64(PUBLIC[:31])}"], headers=good)
    many = [f"whsec_{b64(hashlib.sha256(bytes([n])).digest())}" for n in range(15)]
    maker.add("the-last-of-16-secrets", "rotated", "valid", secrets=[*many, SECRET], headers=good, key_index=15)
    maker.add("17-secrets", "hostile", "key_error", secrets=[*many, OTHER, SECRET], headers=good)


def both(maker: Maker) -> None:
    """`v1` and `v1a` in one list."""
    one, two = hmac_kit(maker.scheme, "webhook"), ed25519_kit(maker.scheme, "webhook")
    hmac_token, ed_token = one.token(), two.token()
    zero = "v1," + b64(bytes(32))
    for title, tokens, secret, algorithm in [
        ("v1-and-v1a-the-secret-known", [hmac_token, ed_token], SECRET, "hmac-sha256"),
        ("v1-and-v1a-the-key-known", [hmac_token, ed_token], PUBLIC_KEY, "ed25519"),
        ("v1a-before-v1", [ed_token, hmac_token], SECRET, "hmac-sha256"),
        ("v1a-after-a-wrong-v1", [zero, ed_token], PUBLIC_KEY, "ed25519"),
    ]:
        maker.add(title, "rotated", "valid", secrets=[secret], headers=one.headers(tokens), algorithm=algorithm)
    maker.add(
        "moved-from-v1-to-v1a", "rotated", "valid", secrets=[PUBLIC_KEY, SECRET], headers=one.signed(), key_index=1
    )
    for title, token, secret in [
        ("v1-called-v1a", "v1a," + hmac_token[3:], SECRET),
        ("v1a-called-v1", "v1," + ed_token[4:], PUBLIC_KEY),
        ("v1-called-v2", "v2," + hmac_token[3:], SECRET),
        ("v1-called-v0", "v0," + hmac_token[3:], SECRET),
        ("v1-called-V1", "V1," + hmac_token[3:], SECRET),
        ("v1-with-an-equals-sign", "v1=" + hmac_token[3:], SECRET),
    ]:
        maker.add(title, "hostile", "bad_signature", secrets=[secret], headers=one.headers([token]))
    malleated = bytearray(two.sign(BODY, str(NOW).encode(), 0))
    grown = int.from_bytes(malleated[32:], "little") + ed25519.L
    malleated[32:] = grown.to_bytes(32, "little")
    about = "S + L is another spelling of S, which RFC 8032 refuses (section 5.1.7)."
    headers = two.headers(["v1a," + b64(bytes(malleated))])
    maker.add("v1a-with-s-plus-l", "hostile", "bad_signature", secrets=[PUBLIC_KEY], headers=headers, about=about)
    nothing = b"\x01" + bytes(63)
    maker.add(
        "v1a-of-the-neutral-point",
        "hostile",
        "bad_signature",
        secrets=[PUBLIC_KEY],
        headers=two.headers(["v1a," + b64(nothing)]),
    )
    maker.add(
        "nine-v1a-signatures",
        "hostile",
        "too_many_signatures",
        secrets=[PUBLIC_KEY],
        headers=two.headers([ed_token] * 9),
    )
    maker.add("eight-v1a-signatures", "hostile", "valid", secrets=[PUBLIC_KEY], headers=two.headers([ed_token] * 8))
    spaced = one.headers([f"{zero}  {hmac_token}"])
    maker.add("two-spaces-between", "valid", "valid", secrets=[SECRET], headers=spaced)
    maker.add("only-spaces", "malformed", "empty_header", secrets=[SECRET], headers=one.headers(["   "]))
    tabbed = one.headers([f"{zero}\t{hmac_token}"])
    maker.add("a-tab-between", "hostile", "bad_signature", secrets=[SECRET], headers=tabbed)


def published(maker: Maker) -> None:
    """What the specification's own libraries test with."""
    maker.add(
        "published-vector",
        "valid",
        "valid",
        secrets=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        headers=[
            ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
            ("webhook-timestamp", "1614265330"),
            ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        ],
        body=b'{"test": 2432232314}',
        now=1_614_265_330,
        about="The vector of the reference libraries of Standard Webhooks.",
    )


def standard() -> Maker:
    """`standard-webhooks`."""
    maker = Maker("standard-webhooks")
    published(maker)
    Families(maker, hmac_kit("standard-webhooks", "webhook", "v1")).everything()
    Families(maker, ed25519_kit("standard-webhooks", "webhook")).everything()
    ids(maker)
    secrets(maker)
    both(maker)
    return maker


def svix() -> Maker:
    """`svix`: the same under other names, or under the same ones."""
    maker = Maker("svix")
    Families(maker, hmac_kit("svix", "svix")).everything()
    as_standard, as_svix = hmac_kit("svix", "webhook"), hmac_kit("svix", "svix")
    maker.add("standard-headers", "valid", "valid", secrets=[SECRET], headers=as_standard.signed(), message_id=ID)
    maker.add(
        "both-kinds-of-headers", "valid", "valid", secrets=[SECRET], headers=[*as_standard.signed(), *as_svix.signed()]
    )
    about = "The names are not mixed: an id of one kind does not stand in for the other."
    mixed = [*as_svix.signed()[1:], ("webhook-id", ID)]
    maker.add("an-id-of-the-other-kind", "hostile", "missing_header", secrets=[SECRET], headers=mixed, about=about)
    wrong = as_svix.headers([as_svix.encoded(bytes(32))])
    about = "Svix headers that are there are the ones that count."
    maker.add(
        "wrong-svix-right-standard",
        "hostile",
        "bad_signature",
        secrets=[SECRET],
        headers=[*wrong, *as_standard.signed()],
        about=about,
    )
    maker.add(
        "right-svix-wrong-standard",
        "hostile",
        "valid",
        secrets=[SECRET],
        headers=[*as_svix.signed(), *as_standard.headers(["v1," + b64(bytes(32))])],
    )
    two = ed25519_kit("svix", "svix")
    maker.add("v1a", "valid", "valid", secrets=[PUBLIC_KEY], headers=two.signed(), algorithm="ed25519")
    return maker
