"""Mailgun, whose signature is in the body and covers nothing of it but a timestamp and a token."""

from __future__ import annotations

import json
from typing import Any

from .making import NOW, Maker, b64, mac

KEYS = ("key-test-1-no-secret-of-anybody", "key-test-2-no-secret-of-anybody")
TOKEN = "e0b5477167110d68991efc6b9f89f0a11066af27834600e123"
EVENT = {"event": "opened", "recipient": "alice@example.com"}


def signed(time: str, token: str, which: int = 0) -> str:
    """The signature."""
    return mac(KEYS[which].encode(), time.encode(), token.encode()).hex()


def body(time: object = str(NOW), token: object = TOKEN, signature: object = None, **more: object) -> bytes:
    """A delivery."""
    if signature is None:
        signature = signed(str(time), str(token))
    members = {"token": token, "timestamp": time, "signature": signature, **more}
    return json.dumps({"signature": members, "event-data": EVENT}).encode()


def mailgun() -> Maker:
    """All cases."""
    maker = Maker("mailgun")

    def add(
        name: str,
        kind: str,
        verdict: str,
        sent: bytes,
        about: str = "",
        secrets: list[str] | None = None,
        **more: Any,
    ) -> None:
        maker.add(
            name,
            kind,
            verdict,
            secrets=[KEYS[0]] if secrets is None else secrets,
            headers=[("Content-Type", "application/json")],
            body=sent,
            about=about,
            **more,
        )

    good = body()
    add("as-sent", "valid", "valid", good, message_id=TOKEN, id_signed=True, body_bound="none", timestamp=NOW)
    add("timestamp-as-number", "valid", "valid", body(NOW))
    add("with-spaces-around", "valid", "valid", b" \r\n" + good + b"\n")
    add(
        "members-in-another-order",
        "valid",
        "valid",
        json.dumps({"event-data": EVENT, "signature": dict(reversed(json.loads(good)["signature"].items()))}).encode(),
    )
    add("without-event-data", "valid", "valid", json.dumps({"signature": json.loads(good)["signature"]}).encode())
    add(
        "with-more-members",
        "valid",
        "valid",
        json.dumps({**json.loads(good), "more": [1, None, True, {"a": 1.5e3}]}).encode(),
    )
    add("token-escaped", "valid", "valid", good.replace(b"e0b5", b"\\u00650b5"))
    about = "The body is not signed: `body_bound` is `none`."
    add("event-data-changed", "hostile", "valid", good.replace(b"alice", b"mallory"), about, body_bound="none")
    add(
        "event-data-replaced",
        "hostile",
        "valid",
        json.dumps({**json.loads(good), "event-data": {"event": "failed"}}).encode(),
        about,
        body_bound="none",
    )
    add("as-old-as-allowed", "valid", "valid", body(str(NOW - 300)))
    add("as-new-as-allowed", "valid", "valid", body(str(NOW + 300)))
    for title, by in [("a-second-too-old", 301), ("a-day-old", 86_400), ("a-year-old", 31_536_000)]:
        add(title, "expired", "too_old", body(str(NOW - by)))
    for title, by in [("a-second-too-new", 301), ("a-day-ahead", 86_400)]:
        add(title, "future", "too_new", body(str(NOW + by)))
    add("ten-nines", "future", "too_new", body("9999999999"))
    add("old-but-tolerated", "valid", "valid", body(str(NOW - 1000)), settings={"tolerance": 1000})
    add("another-key", "tampered", "bad_signature", body(signature=signed(str(NOW), TOKEN, 1)))
    add("timestamp-moved", "tampered", "bad_signature", body(str(NOW + 1), signature=signed(str(NOW), TOKEN)))
    add("token-changed", "tampered", "bad_signature", body(token="f" + TOKEN[1:], signature=signed(str(NOW), TOKEN)))
    add(
        "token-in-upper-case", "tampered", "bad_signature", body(token=TOKEN.upper(), signature=signed(str(NOW), TOKEN))
    )
    flipped = "0" if signed(str(NOW), TOKEN)[0] != "0" else "1"
    add("signature-changed", "tampered", "bad_signature", body(signature=flipped + signed(str(NOW), TOKEN)[1:]))
    add(
        "signature-of-the-body",
        "tampered",
        "bad_signature",
        body(signature=mac(KEYS[0].encode(), json.dumps(EVENT).encode()).hex()),
    )
    add("the-first-of-two-keys", "rotated", "valid", good, secrets=list(KEYS), key_index=0)
    add(
        "the-second-of-two-keys",
        "rotated",
        "valid",
        body(signature=signed(str(NOW), TOKEN, 1)),
        secrets=list(KEYS),
        key_index=1,
    )
    parent = {"parent-signature": signed(str(NOW), TOKEN, 1)}
    add("of-a-subaccount-its-own-key", "rotated", "valid", body(**parent))
    add("of-a-subaccount-the-parents-key", "rotated", "valid", body(**parent), secrets=[KEYS[1]], key_index=0)
    add("of-a-subaccount-a-wrong-parent", "rotated", "valid", body(**{"parent-signature": "0" * 64}))
    add(
        "of-a-subaccount-neither",
        "tampered",
        "bad_signature",
        body(signature="0" * 64, **{"parent-signature": "1" * 64}),
    )
    add("of-a-subaccount-parent-malformed", "malformed", "valid", body(**{"parent-signature": "x"}))
    hexadecimal = signed(str(NOW), TOKEN)
    for title, text in [("upper", hexadecimal.upper()), ("mixed", hexadecimal[:7].upper() + hexadecimal[7:])]:
        add(
            f"hexadecimal-in-{title}-case",
            "hostile",
            "valid",
            body(signature=text),
            "Hexadecimal digits have no case (RFC 4648, section 8).",
        )
    for title, text in [
        ("cut", hexadecimal[:-2]),
        ("longer", hexadecimal + "00"),
        ("empty", ""),
        ("in-base64", b64(bytes.fromhex(hexadecimal))),
        ("with-0x", "0x" + hexadecimal[2:]),
        ("no-hexadecimal", hexadecimal[:-1] + "g"),
        ("space-after", hexadecimal + " "),
        ("fullwidth", "\uff10" + hexadecimal[1:]),
    ]:
        add(f"signature-{title}", "malformed", "bad_signature", body(signature=text))
    about = "Nothing stands between timestamp and token: exactly 10 digits keep them apart."
    digits = "5" + TOKEN
    moved = signed(str(NOW), digits)
    add("a-digit-moved-to-the-timestamp", "hostile", "bad_timestamp", body(f"{NOW}5", TOKEN, moved), about)
    add("a-digit-moved-to-the-token", "hostile", "bad_timestamp", body(str(NOW)[:-1], "0" + TOKEN, hexadecimal), about)
    add("everything-in-the-token", "hostile", "bad_timestamp", body("", str(NOW) + TOKEN, hexadecimal), about)
    for title, time in [
        ("plus", f"+{NOW}"),
        ("minus", f"-{NOW}"),
        ("space-before", f" {NOW}"),
        ("space-after", f"{NOW} "),
        ("decimal-point", f"{NOW}.0"),
        ("fullwidth-digit", "170000000\uff10"),
        ("milliseconds", f"{NOW}000"),
        ("hexadecimal", "0x6553f100"),
        ("date", "2023-11-14T22:13:20Z"),
        ("exponent", "1.7000e+9"),
        ("underscore", "1_70000000"),
        ("nul", "170000000\0"),
        ("of-9-digits", "999999999"),
        ("with-a-zero-in-front", f"0{NOW}"),
    ]:
        add(f"timestamp-{title}", "hostile", "bad_timestamp", body(time))
    times: list[tuple[str, object]] = [
        ("null", None),
        ("true", True),
        ("a-list", [str(NOW)]),
    ]
    add("timestamp-is-a-fraction", "malformed", "bad_timestamp", body(NOW + 0.5))
    for title, value in times:
        add(f"timestamp-is-{title}", "malformed", "body_malformed", body(value))
    values: list[tuple[str, object]] = [("null", None), ("a-number", 5), ("a-list", [TOKEN]), ("an-object", {"a": 1})]
    for title, value in values:
        add(f"token-is-{title}", "malformed", "body_malformed", body(token=value))
        if value is not None:
            add(f"signature-is-{title}", "malformed", "body_malformed", body(signature=value))
    for missing in ("token", "timestamp", "signature"):
        members = {name: value for name, value in json.loads(good)["signature"].items() if name != missing}
        add(
            f"no-{missing}",
            "malformed",
            "body_malformed",
            json.dumps({"signature": members, "event-data": EVENT}).encode(),
        )
    add("no-signature-object", "malformed", "body_malformed", json.dumps({"event-data": EVENT}).encode())
    for title, sent in [
        ("empty", b""),
        ("no-json", b"hello"),
        ("a-form", b"timestamp=1&token=2&signature=3"),
        ("a-list", b"[]"),
        ("a-text", b'"a"'),
        ("null", b"null"),
        ("cut", good[:-1]),
        ("followed-by-more", good + b"{}"),
        ("not-utf-8", good.replace(b"alice", b"\xff")),
        ("with-a-byte-order-mark", b"\xef\xbb\xbf" + good),
        ("with-a-comment", b"/**/" + good),
        ("with-a-comma-more", good[:-1] + b",}"),
        ("in-single-quotes", good.replace(b'"', b"'")),
    ]:
        add(f"body-{title}", "malformed", "body_malformed", sent)
    deep = b'{"a":' * 2000 + b"1" + b"}" * 2000
    add("body-2000-levels-deep", "hostile", "body_malformed", deep)
    about = "Two parsers may take different ones: the one that is verified may not be the one that is used."
    part = json.dumps(json.loads(good)["signature"]).encode()
    add(
        "signature-object-twice",
        "hostile",
        "body_malformed",
        b'{"signature":' + part + b',"signature":{},"event-data":{}}',
        about,
    )
    add("token-twice", "hostile", "body_malformed", good.replace(b'{"token"', b'{"token": "other", "token"'), about)
    add(
        "token-twice-once-escaped",
        "hostile",
        "body_malformed",
        good.replace(b'{"token"', b'{"\\u0074oken": "other", "token"'),
        about,
    )
    add("token-empty", "hostile", "bad_message_id", body(token=""))
    add("token-of-513-bytes", "hostile", "bad_message_id", body(token="t" * 513))
    add("token-with-a-control-character", "hostile", "bad_message_id", body(token="a\nb"))
    add("over-the-cap", "malformed", "body_too_large", good, settings={"max_body": 50})
    add("an-empty-key", "hostile", "key_error", good, secrets=[""])
    add("no-key", "hostile", "key_error", good, secrets=[])
    add("a-public-key-as-key", "hostile", "key_error", good, secrets=["whpk_" + b64(bytes(32))])
    return maker
