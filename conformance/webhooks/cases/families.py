"""The cases that every scheme with a signature in a header has: honest ones, and what strangers try."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .making import NOW, Headers, Maker

if TYPE_CHECKING:
    from .kit import Kit

MALFORMED_TIMES: list[tuple[str, bytes]] = [
    ("plus", b"+1700000000"),
    ("minus", b"-1700000000"),
    ("space-before", b" 1700000000"),
    ("space-after", b"1700000000 "),
    ("tab-after", b"1700000000\t"),
    ("decimal-point", b"1700000000.0"),
    ("exponent", b"1.7e9"),
    ("hexadecimal", b"0x6553f100"),
    ("underscore", b"1_700_000_000"),
    ("fullwidth-digit", "170000000\uff10".encode()),
    ("arabic-digits", "\u0661\u0667\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0660".encode()),
    ("milliseconds", b"1700000000000"),
    ("letters-after", b"1700000000abc"),
    ("date", b"2023-11-14T22:13:20Z"),
    ("longer-than-64-bits", b"18446744075409551616"),
    ("not-a-number", b"NaN"),
]


def without(headers: Headers, name: str) -> Headers:
    """The headers but for one."""
    return [(title, value) for title, value in headers if title.lower() != name.lower()]


def with_value(headers: Headers, name: str, value: bytes | str) -> Headers:
    """The headers with another value of one."""
    return [(title, value if title.lower() == name.lower() else old) for title, old in headers]


class Families:
    """Adds a kit's cases to a maker."""

    def __init__(self, maker: Maker, kit: Kit) -> None:
        self.maker = maker
        self.kit = kit

    def add(self, name: str, kind: str, verdict: str, headers: Headers, **more: Any) -> None:
        """One case, with the kit's secret unless it says otherwise."""
        kit = self.kit
        more.setdefault("secrets", [kit.secrets[0]])
        more.setdefault("body", kit.body)
        settings = {**kit.settings, **more.pop("settings", {})}
        url = more.pop("url", kit.url)
        title = f"{kit.name}-{name}" if kit.name else name
        self.maker.add(title, kind, verdict, headers=headers, settings=settings, url=url, **more)

    def everything(self) -> None:
        """All families."""
        self.honest()
        self.tampered()
        self.rotated()
        self.headers()
        self.spellings()
        if self.kit.has_time:
            self.times()
        if self.kit.separator is not None:
            self.lists()
        self.limits()

    def honest(self) -> None:
        """What the provider sends."""
        kit = self.kit
        self.add("as-sent", "valid", "valid", kit.signed(), key_index=0)
        for case, spelled in [("lower", str.lower), ("upper", str.upper)]:
            headers = [(spelled(title), value) for title, value in kit.signed()]
            self.add(f"header-names-in-{case}-case", "valid", "valid", headers)
        others: Headers = [("Content-Type", "application/json"), ("User-Agent", "provider/1"), ("X-Signature", "v1=00")]
        self.add("among-other-headers", "valid", "valid", [*others, *kit.signed()])
        if kit.any_body:
            for title, body in [
                ("empty-body", b""),
                ("one-byte", b"{"),
                ("binary-body", bytes(range(256))),
                ("body-with-crlf", b'{\r\n  "a": 1\r\n}\r\n'),
                ("body-with-byte-order-mark", b'\xef\xbb\xbf{"a":1}'),
                ("form-body", b"a=1&b=%20two&c=%C3%A9"),
                ("2-kB-body", b'{"text":"' + b"lorem ipsum " * 165 + b'"}'),
            ]:
                self.add(title, "valid", "valid", kit.signed(body), body=body)

    def tampered(self) -> None:
        """Something was changed on the way."""
        kit = self.kit
        body, headers = kit.body, kit.signed()
        if kit.any_body:
            for title, changed in [
                ("a-byte-changed", body.replace(b"12.50", b"92.50")),
                ("a-byte-more", body + b"\n"),
                ("crlf-more", body + b"\r\n"),
                ("a-byte-less", body[:-1]),
                ("body-emptied", b""),
                ("reserialised", body.replace(b":", b": ").replace(b",", b", ")),
                ("number-rewritten", body.replace(b"12.50", b"12.5")),
                ("text-escaped", body.replace("\u00eb".encode(), b"\\u00eb")),
                ("case-changed", body.replace(b'"a"', b'"A"')),
                ("two-bodies", body + body),
            ]:
                if changed != body:
                    self.add(f"body-{title}", "tampered", "bad_signature", headers, body=changed)
            self.add("body-added", "tampered", "bad_signature", kit.signed(b""), body=body)
        good = kit.sign(body, str(NOW).encode(), 0)
        for title, at, bit in [("first-bit", 0, 0x80), ("last-bit", len(good) - 1, 1), ("middle", len(good) // 2, 8)]:
            flipped = good[:at] + bytes([good[at] ^ bit]) + good[at + 1 :]
            self.add(f"signature-{title}-flipped", "tampered", "bad_signature", kit.headers([kit.encoded(flipped)]))
        self.add("another-secret", "tampered", "bad_signature", kit.signed(which=1))
        self.add("signature-of-zeros", "tampered", "bad_signature", kit.headers([kit.encoded(bytes(len(good)))]))
        if kit.has_time:
            other = str(NOW + 1).encode()
            self.add("timestamp-moved", "tampered", "bad_signature", kit.headers([kit.token()], other))

    def rotated(self) -> None:
        """Several secrets at the receiver."""
        kit = self.kit
        new, old = kit.secrets
        for title, which, index in [("the-first-of-two-secrets", 0, 0), ("the-second-of-two-secrets", 1, 1)]:
            self.add(title, "rotated", "valid", kit.signed(which=which), secrets=[new, old], key_index=index)
        self.add("the-secret-was-retired", "rotated", "bad_signature", kit.signed(which=1), secrets=[new])
        changed = bytes(byte ^ 0x55 for byte in kit.sign(kit.body, str(NOW).encode(), 1))
        self.add(
            "none-of-two-secrets", "rotated", "bad_signature", kit.headers([kit.encoded(changed)]), secrets=[new, old]
        )

    def headers(self) -> None:
        """Required headers are there once."""
        kit = self.kit
        good = kit.signed()
        names = [kit.signature_header]
        if kit.time_header is not None:
            names.append(kit.time_header)
        for name in names:
            what = "signature" if name == kit.signature_header else "timestamp"
            value = next(value for title, value in good if title == name)
            self.add(f"no-{what}", "malformed", "missing_header", without(good, name))
            self.add(f"empty-{what}", "malformed", "empty_header", with_value(good, name, b""))
            self.add(f"{what}-twice", "hostile", "repeated_header", [*good, (name, value)])
            self.add(f"{what}-twice-in-two-cases", "hostile", "repeated_header", [*good, (name.upper(), value)])
        name = kit.signature_header
        bad = kit.headers([kit.encoded(bytes(len(kit.sign(kit.body, b"0", 0))))])
        self.add("a-bad-signature-before", "hostile", "repeated_header", [*bad[-1:], *good])
        self.add("a-bad-signature-behind", "hostile", "repeated_header", [*good, *bad[-1:]])
        dressed = name.replace("-", "_")
        self.add(
            "header-name-with-underscores", "hostile", "missing_header", [*without(good, name), (dressed, good[-1][1])]
        )

    def spellings(self) -> None:
        """A signature has one spelling, but for the case of hexadecimal digits."""
        kit = self.kit
        bare = kit.token()[len(kit.prefix) :]
        bad: list[tuple[str, str | bytes]] = [
            ("cut-in-half", bare[: len(bare) // 2]),
            ("a-digit-less", bare[:-1]),
            ("two-digits-less", bare[:-2]),
            ("twice-in-a-row", bare + bare),
            ("only-the-prefix", ""),
            ("quoted", f'"{bare}"'),
            ("undefined", "undefined"),
            ("null", "null"),
            ("space-after", bare + "\u00a0"),
            ("nul-after", bare + "\0"),
            ("nul-inside", bare[:8] + "\0" + bare[8:]),
            ("not-utf-8", b"\xff\xfe" + bare.encode()),
        ]
        if kit.separator != " ":
            bad += [("blank-after", bare + " "), ("blank-before", " " + bare), ("newline-after", bare + "\n")]
        if kit.encoding == "hex":
            bad += [
                ("0x-before", "0x" + bare[2:]),
                ("no-hexadecimal", bare[:-1] + "g"),
                ("plus-in-hexadecimal", "+" + bare[1:]),
                ("fullwidth-hexadecimal", "\uff10" + bare[1:]),
                ("in-base64", kit.encoded_otherwise()),
            ]
        else:
            bad += [
                ("no-padding", bare.rstrip("=")),
                ("more-padding", bare + "="),
                ("unused-bits-set", unused_bits(bare)),
                ("newline-inside", bare[:20] + "\n" + bare[20:]),
                ("star-inside", bare[:20] + "*" + bare[20:]),
                ("in-hexadecimal", kit.encoded_otherwise()),
            ]
        for title, value in bad:
            raw = value.encode() if isinstance(value, str) else value
            if raw == bare.encode():
                continue
            headers = kit.headers([kit.prefix.encode() + raw])
            verdict = "empty_header" if not kit.prefix + "x" and not raw else "bad_signature"
            if not kit.prefix and not raw and kit.time_member is None:
                verdict = "empty_header"
            kind = "malformed" if title in {"cut-in-half", "only-the-prefix", "undefined", "null"} else "hostile"
            self.add(f"signature-{title}", kind, verdict, headers)
        if kit.encoding == "base64":
            text, body = url_safe(kit)
            if text:
                self.add(
                    "signature-url-safe-alphabet",
                    "hostile",
                    "bad_signature",
                    kit.headers([kit.prefix + text]),
                    body=body,
                )
        if kit.encoding == "hex":
            for title, text in [("upper", bare.upper()), ("mixed", bare[:9].upper() + bare[9:])]:
                about = "Hexadecimal digits have no case (RFC 4648, section 8): the bytes are the signature's."
                headers = kit.headers([kit.prefix + text])
                self.add(f"hexadecimal-in-{title}-case", "hostile", "valid", headers, about=about)
        if kit.prefix:
            for title, prefix in [
                ("missing", ""),
                ("in-upper-case", kit.prefix.upper()),
                ("of-another-version", kit.prefix.replace("1", "9").replace("v0", "v9").replace("256", "512")),
                ("twice", kit.prefix * 2),
            ]:
                if prefix != kit.prefix and not (prefix == "" and kit.time_member is None and not bare):
                    headers = kit.headers([prefix + bare])
                    self.add(f"prefix-{title}", "hostile", "bad_signature", headers)

    def times(self) -> None:
        """The clock, and how a time is written. What has a wrong form is signed, so that only the form is at fault."""
        kit = self.kit
        allowed = kit.tolerance or 0

        def signed_at(at: int | bytes) -> Headers:
            time = at if isinstance(at, bytes) else str(at).encode()
            return kit.signed(time=time)

        self.add("as-old-as-allowed", "valid", "valid", signed_at(NOW - allowed), timestamp=NOW - allowed)
        self.add("as-new-as-allowed", "valid", "valid", signed_at(NOW + allowed), timestamp=NOW + allowed)
        for title, by in [("a-second-too-old", allowed + 1), ("a-day-old", 86_400), ("a-year-old", 31_536_000)]:
            self.add(title, "expired", "too_old", signed_at(NOW - by))
        self.add(
            "sent-at-0",
            "hostile" if kit.digits else "expired",
            "bad_timestamp" if kit.digits else "too_old",
            signed_at(0),
        )
        self.add("sent-in-2001", "expired", "too_old", signed_at(1_000_000_000))
        self.add("ten-nines", "future", "too_new", signed_at(9_999_999_999))
        for title, by in [("a-second-too-new", allowed + 1), ("a-day-ahead", 86_400), ("a-year-ahead", 31_536_000)]:
            self.add(title, "future", "too_new", signed_at(NOW + by))
        self.add(
            "eleven-nines",
            "hostile" if kit.digits else "future",
            "bad_timestamp" if kit.digits else "too_new",
            signed_at(99_999_999_999),
        )
        older = signed_at(NOW - 1000)
        self.add("old-but-tolerated", "valid", "valid", older, settings={"tolerance": 1000})
        self.add("a-tolerance-of-0", "valid", "valid", signed_at(NOW), settings={"tolerance": 0})
        self.add("a-tolerance-of-0-a-second-late", "expired", "too_old", signed_at(NOW - 1), settings={"tolerance": 0})
        self.add("replayed-a-week-later", "expired", "too_old", signed_at(NOW), now=NOW + 604_800)
        about = "1 to 11 digits: a zero in front is signed as it is written."
        if kit.digits:
            about = "Exactly 10 digits: nothing in what is signed stands between them and the body."
        verdict = "bad_timestamp" if kit.digits else "valid"
        self.add("timestamp-with-a-zero-in-front", "hostile", verdict, signed_at(b"01700000000"), about=about)
        for title, time in MALFORMED_TIMES:
            if kit.separator == " " and kit.time_member is not None and b" " in time:
                continue
            self.add(f"timestamp-{title}", "hostile", "bad_timestamp", signed_at(time))

    def lists(self) -> None:
        """Several signatures in one header."""
        kit = self.kit
        good, zero = kit.token(), kit.encoded(bytes(len(kit.sign(kit.body, b"0", 0))))
        other = kit.token(which=1)
        self.add("the-second-of-two-signatures", "rotated", "valid", kit.headers([zero, good]))
        self.add("the-first-of-two-signatures", "rotated", "valid", kit.headers([good, zero]))
        self.add("two-signatures-by-two-secrets", "rotated", "valid", kit.headers([other, good]), key_index=0)
        self.add(
            "two-signatures-the-old-secret-known",
            "rotated",
            "valid",
            kit.headers([good, other]),
            secrets=[kit.secrets[1]],
            key_index=0,
        )
        self.add(
            "after-forty-others",
            "hostile",
            "valid",
            kit.headers([zero] * 40 + [good]) if kit.cheap else kit.headers([zero] * 4 + [good]),
        )
        self.add(
            "after-unknown-versions",
            "hostile",
            "valid",
            kit.headers(["v9=00", "v9,AAAA", "x", good] if kit.separator != "," else ["v9=00", "x", good]),
        )
        self.add("after-malformed-ones", "hostile", "valid", kit.headers([kit.prefix + "!!", kit.prefix, good]))
        self.add("a-hundred-signatures", "hostile", "too_many_signatures", kit.headers([zero] * 100))
        self.add(
            "a-hundred-signatures-and-the-right-one",
            "hostile",
            "too_many_signatures",
            kit.headers([zero] * 99 + [good]),
        )
        self.add("two-wrong-signatures", "tampered", "bad_signature", kit.headers([zero, zero]))
        wrong = "," if kit.separator != "," else ";"
        joined = (wrong + " ").join([zero, good]) if kit.separator != " " else wrong.join([zero, good])
        self.add("another-separator", "hostile", "bad_signature", kit.headers([joined]))

    def limits(self) -> None:
        """Bounds, and secrets that are none."""
        kit = self.kit
        long = kit.token() + "A" * 9000
        self.add("a-header-of-9-kB", "hostile", "too_many_signatures", kit.headers([long]))
        if kit.any_body:
            self.add(
                "a-byte-over-the-cap",
                "malformed",
                "body_too_large",
                kit.signed(),
                settings={"max_body": len(kit.body) - 1},
            )
            self.add("as-large-as-the-cap", "valid", "valid", kit.signed(), settings={"max_body": len(kit.body)})
        for title, secrets in [
            ("an-empty-secret", [""]),
            ("no-secret", []),
            ("an-empty-secret-beside", [kit.secrets[0], ""]),
        ]:
            self.add(title, "hostile", "key_error", kit.signed(), secrets=secrets)
        self.add("a-secret-with-a-line-end", "malformed", "key_error", kit.signed(), secrets=[kit.secrets[0] + "\n"])


def url_safe(kit: Kit) -> tuple[str, bytes]:
    """A signature in the alphabet for URLs, and a body for which that makes a difference."""
    for spaces in range(100 if kit.any_body else 1):
        body = kit.body + b" " * spaces
        bare = kit.token(body)[len(kit.prefix) :]
        changed = bare.replace("+", "-").replace("/", "_")
        if changed != bare:
            return changed, body
    return "", kit.body


def unused_bits(bare: str) -> str:
    """The same bytes to a lenient decoder: the bits that padding leaves over are set."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    stem = bare.rstrip("=")
    if stem == bare:
        return bare
    return stem[:-1] + alphabet[alphabet.index(stem[-1]) | 1] + "=" * (len(bare) - len(stem))
