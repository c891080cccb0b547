"""Twilio, whose signature covers the URL, and the parameters of a form or the hash of any other body."""

from __future__ import annotations

import hashlib
from urllib.parse import quote_plus

from .families import Families
from .kit import Kit
from .making import BODY, Headers, Maker, b64, mac

TOKENS = ("twilio-test-token-1-of-the-corpus", "twilio-test-token-2-of-the-corpus")
URL = "https://hooks.example.com/twilio?foo=1&bar=2"
PARAMETERS = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675309"),
    ("Digits", "12.50"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
]


def form(parameters: list[tuple[str, str]]) -> bytes:
    """A form's body."""
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in parameters).encode()


def signature(url: str, signed: bytes, which: int = 0) -> bytes:
    """What Twilio signs: the URL, and the sorted parameters."""
    return mac(TOKENS[which].encode(), url.encode(), signed, hash_name="sha1")


def joined(parameters: list[tuple[str, str]]) -> bytes:
    """The parameters as they are signed."""
    pairs = sorted({(name.encode(), value.encode()) for name, value in parameters})
    return b"".join(name + value for name, value in pairs)


def twilio() -> Maker:
    """Both forms."""
    maker = Maker("twilio")
    forms(maker)
    urls(maker)
    bodies(maker)
    return maker


def forms(maker: Maker) -> None:
    """A form's parameters."""
    body = form(PARAMETERS)
    kit = Kit(
        "twilio",
        TOKENS,
        lambda _body, _time, which: signature(URL, joined(PARAMETERS), which),
        "X-Twilio-Signature",
        encoding="base64",
        url=URL,
        body=body,
        any_body=False,
        name="form",
    )
    Families(maker, kit).everything()
    one = [TOKENS[0]]

    def add(
        name: str,
        kind: str,
        verdict: str,
        parameters: list[tuple[str, str]],
        raw: bytes | None = None,
        about: str = "",
        **more: object,
    ) -> None:
        headers: Headers = [("X-Twilio-Signature", b64(signature(URL, joined(parameters))))]
        sent = form(parameters) if raw is None else raw
        maker.add(f"form-{name}", kind, verdict, secrets=one, headers=headers, body=sent, url=URL, about=about, **more)  # type: ignore[arg-type]

    published = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675309"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
    ]
    maker.add(
        "published-vector",
        "valid",
        "valid",
        secrets=["12345"],
        headers=[("X-Twilio-Signature", "RSOYDt4T1cUTdK1PDd93/VVr8B8=")],
        body=form(published),
        url="https://mycompany.com/myapp.php?foo=1&bar=2",
        about="The vector of Twilio's documentation.",
    )
    add("of-nothing", "valid", "valid", [])
    add("blank-value", "valid", "valid", [("Body", ""), ("To", "x")])
    add("blank-value-without-equals-sign", "valid", "valid", [("Body", ""), ("To", "x")], b"Body&To=x")
    add("in-another-order", "valid", "valid", PARAMETERS, form(PARAMETERS[::-1]))
    add("sorted-by-case", "valid", "valid", [("a", "1"), ("B", "2"), ("_c", "3"), ("Z", "4")])
    add("beyond-ascii", "valid", "valid", [("Body", "caf\u00e9 \U0001f600 \u4f60"), ("N\u00e4me", "x")])
    add(
        "name-beyond-the-basic-plane",
        "hostile",
        "valid",
        [("\U0001f600", "1"), ("\uff5e", "2")],
        about="Sorted by code points, not by UTF-16 units, where U+1F600 would come first.",
    )
    add("spaces-as-percent-20", "valid", "valid", [("Body", "a b")], b"Body=a%20b")
    add("a-plus-encoded", "valid", "valid", [("Body", "a+b")], b"Body=a%2Bb")
    add("lower-case-percent-encoding", "valid", "valid", [("Body", "\u00e9/")], b"Body=%c3%a9%2f")
    add("nothing-encoded", "valid", "valid", [("Body", "/:@!")], b"Body=/:@!")
    add("equals-signs-in-a-value", "valid", "valid", [("Body", "a=b=c")], b"Body=a=b=c")
    add("line-ends-in-a-value", "valid", "valid", [("Body", "a\r\nb")])
    add("repeated-values", "valid", "valid", [("MediaUrl", "b"), ("MediaUrl", "a")])
    add("the-same-twice", "valid", "valid", [("A", "1"), ("A", "1")])
    add("ampersands-more", "valid", "valid", [("A", "1"), ("B", "2")], b"&A=1&&B=2&")
    about = "What is signed is parameters in a row: that is Twilio's scheme, and `body_bound` says it."
    add("a-border-moved", "hostile", "valid", [("A", "1"), ("B", "2")], b"A=1B2", about)
    add("a-border-moved-into-the-name", "hostile", "valid", [("A", "1"), ("B", "2")], b"A1B=2", about)
    add("a-repeated-value-added", "hostile", "valid", [("A", "1"), ("B", "2")], b"A=1&B=2&B=2", about)
    add("a-percent-that-encodes-nothing", "hostile", "body_malformed", [("A", "100%"), ("B", "%zz")], b"A=100%&B=%zz")
    add(
        "not-utf-8",
        "hostile",
        "body_malformed",
        [("A", "\ufffd")],
        b"A=%FF",
        "Twilio sends UTF-8; what a decoder makes of anything else is not what was signed.",
    )
    add("semicolons-between", "hostile", "bad_signature", [("A", "1"), ("B", "2")], b"A=1;B=2")
    add("a-parameter-added", "tampered", "bad_signature", PARAMETERS, form([*PARAMETERS, ("Extra", "1")]))
    add("a-parameter-removed", "tampered", "bad_signature", PARAMETERS, form(PARAMETERS[1:]))
    add("a-value-changed", "tampered", "bad_signature", PARAMETERS, body.replace(b"12.50", b"92.50"))
    add("a-name-changed", "tampered", "bad_signature", PARAMETERS, body.replace(b"Digits", b"Digitz"))
    add("a-body-where-there-was-none", "tampered", "bad_signature", [], b"A=1")
    add("the-body-removed", "tampered", "bad_signature", PARAMETERS, b"")
    add("encoded-twice", "tampered", "bad_signature", [("Body", "a b")], b"Body=a%2520b")
    headers: Headers = [("X-Twilio-Signature", b64(mac(TOKENS[0].encode(), URL.encode(), body, hash_name="sha1")))]
    maker.add("form-signed-encoded", "hostile", "bad_signature", secrets=one, headers=headers, body=body, url=URL)
    bare: Headers = [("X-Twilio-Signature", b64(mac(TOKENS[0].encode(), joined(PARAMETERS), hash_name="sha1")))]
    maker.add("form-signed-without-the-url", "hostile", "bad_signature", secrets=one, headers=bare, body=body, url=URL)
    sha256: Headers = [("X-Twilio-Signature", b64(mac(TOKENS[0].encode(), URL.encode(), joined(PARAMETERS))))]
    maker.add("form-signed-with-sha-256", "hostile", "bad_signature", secrets=one, headers=sha256, body=body, url=URL)
    token: Headers = [("I-Twilio-Idempotency-Token", "b9e5f9f6"), *kit.signed()]
    maker.add(
        "form-with-an-idempotency-token",
        "valid",
        "valid",
        secrets=one,
        headers=token,
        body=body,
        url=URL,
        message_id="b9e5f9f6",
        id_signed=False,
    )
    maker.add(
        "form-by-get",
        "valid",
        "valid",
        secrets=one,
        headers=[("X-Twilio-Signature", b64(signature(URL, b"")))],
        body=b"",
        url=URL,
        method="GET",
    )
    maker.add(
        "form-over-the-cap",
        "malformed",
        "body_too_large",
        secrets=one,
        headers=kit.signed(),
        body=body,
        url=URL,
        settings={"max_body": 20},
    )
    maker.add(
        "a-public-key-as-secret",
        "hostile",
        "key_error",
        secrets=["whpk_" + b64(bytes(32))],
        headers=kit.signed(),
        body=body,
        url=URL,
    )


def urls(maker: Maker) -> None:
    """The URL, and its ports."""
    one, body = [TOKENS[0]], b"A=1"

    def add(name: str, kind: str, verdict: str, signed: str, received: str | None, **more: object) -> None:
        headers: Headers = [("X-Twilio-Signature", b64(signature(signed, b"A1")))]
        maker.add(f"url-{name}", kind, verdict, secrets=one, headers=headers, body=body, url=received, **more)  # type: ignore[arg-type]

    plain, ported = "https://hooks.example.com/t", "https://hooks.example.com:443/t"
    add("as-it-is", "valid", "valid", plain, plain)
    add("signed-with-the-port", "valid", "valid", ported, plain)
    add("received-with-the-port", "valid", "valid", plain, ported)
    add("both-with-the-port", "valid", "valid", ported, ported)
    add("port-80-of-http", "valid", "valid", "http://hooks.example.com:80/t", "http://hooks.example.com/t")
    add("another-port-signed-without", "valid", "valid", plain, "https://hooks.example.com:8443/t")
    add(
        "another-port-signed-with",
        "valid",
        "valid",
        "https://hooks.example.com:8443/t",
        "https://hooks.example.com:8443/t",
    )
    add("the-port-of-http-with-https", "hostile", "bad_signature", "https://hooks.example.com:80/t", plain)
    add("another-port", "tampered", "bad_signature", "https://hooks.example.com:8443/t", plain)
    add(
        "with-a-user",
        "valid",
        "valid",
        "https://user:pass@hooks.example.com/t",
        "https://user:pass@hooks.example.com/t",
    )
    add(
        "with-a-user-signed-with-the-port",
        "hostile",
        "valid",
        "https://user:pass@hooks.example.com:443/t",
        "https://user:pass@hooks.example.com/t",
        about="The colon of a password is no port.",
    )
    add(
        "with-a-user-received-with-the-port",
        "hostile",
        "valid",
        "https://user:pass@hooks.example.com/t",
        "https://user:pass@hooks.example.com:443/t",
        about="The colon of a password is no port.",
    )
    add(
        "of-ipv6",
        "hostile",
        "valid",
        "https://[2001:db8::1]/t",
        "https://[2001:db8::1]:443/t",
        about="The colons of an address are no port.",
    )
    add("of-ipv6-signed-with-the-port", "hostile", "valid", "https://[2001:db8::1]:443/t", "https://[2001:db8::1]/t")
    add(
        "with-a-colon-in-the-path",
        "hostile",
        "valid",
        "https://hooks.example.com:443/a:1",
        "https://hooks.example.com/a:1",
    )
    add(
        "with-an-at-sign-in-the-path",
        "hostile",
        "valid",
        "https://hooks.example.com:443/a@b:1",
        "https://hooks.example.com/a@b:1",
    )
    add(
        "with-an-at-sign-in-the-query",
        "hostile",
        "valid",
        "https://hooks.example.com:443?a@b:1",
        "https://hooks.example.com?a@b:1",
    )
    add(
        "with-encoded-signs",
        "valid",
        "valid",
        "https://hooks.example.com/t?a=%20b+c",
        "https://hooks.example.com/t?a=%20b+c",
    )
    add(
        "with-encoded-signs-decoded",
        "tampered",
        "bad_signature",
        "https://hooks.example.com/t?a=%20b",
        "https://hooks.example.com/t?a= b",
    )
    add("of-another-scheme", "tampered", "bad_signature", "http://hooks.example.com/t", plain)
    add("of-another-host", "tampered", "bad_signature", "https://other.example.com/t", plain)
    add("with-a-slash-more", "tampered", "bad_signature", plain + "/", plain)
    add("with-a-query-more", "tampered", "bad_signature", plain + "?a=1", plain)
    add("in-upper-case", "tampered", "bad_signature", "https://HOOKS.example.com/t", plain)
    add("missing", "malformed", "missing_url", plain, None)
    add("set-up", "valid", "valid", plain, None, settings={"url": plain})
    add("set-up-and-another-received", "valid", "valid", plain, "http://10.0.0.7:8080/t", settings={"url": plain})
    add(
        "origin-set-up",
        "valid",
        "valid",
        plain + "?a=1",
        "http://10.0.0.7:8080/t?a=1",
        settings={"url": "https://hooks.example.com"},
    )
    add(
        "set-up-the-query-received",
        "valid",
        "valid",
        plain + "?a=1",
        "http://10.0.0.7:8080/t?a=1",
        settings={"url": plain},
    )


def bodies(maker: Maker) -> None:
    """Any body, by its hash in the URL."""
    one = [TOKENS[0]]

    def add(
        name: str,
        kind: str,
        verdict: str,
        body: bytes,
        sent: bytes | None = None,
        url: str | None = None,
        about: str = "",
    ) -> None:
        full = url or f"https://hooks.example.com/t?a=1&bodySHA256={hashlib.sha256(body).hexdigest()}"
        headers: Headers = [("X-Twilio-Signature", b64(signature(full, b"")))]
        maker.add(
            f"json-{name}",
            kind,
            verdict,
            secrets=one,
            headers=headers,
            body=body if sent is None else sent,
            url=full,
            about=about,
        )

    base = "https://hooks.example.com/t"
    digest = hashlib.sha256(BODY).hexdigest()
    add("as-sent", "valid", "valid", BODY)
    add("empty", "valid", "valid", b"")
    add("binary", "valid", "valid", bytes(range(256)))
    add("a-form", "valid", "valid", b"A=1&B=2")
    add("with-crlf", "valid", "valid", b'{"a":1}\r\n')
    add("changed", "tampered", "bad_signature", BODY, BODY.replace(b"12", b"13"))
    add("a-byte-more", "tampered", "bad_signature", BODY, BODY + b"\n")
    add("emptied", "tampered", "bad_signature", BODY, b"")
    add("reserialised", "tampered", "bad_signature", BODY, BODY.replace(b":", b": "))
    add(
        "hash-in-upper-case",
        "hostile",
        "valid",
        BODY,
        url=f"{base}?bodySHA256={digest.upper()}",
        about="Hexadecimal digits have no case.",
    )
    add("hash-cut", "hostile", "bad_signature", BODY, url=f"{base}?bodySHA256={digest[:-2]}")
    add("hash-empty", "hostile", "bad_signature", BODY, url=f"{base}?bodySHA256=")
    add(
        "hash-of-another-body",
        "hostile",
        "bad_signature",
        BODY,
        url=f"{base}?bodySHA256={hashlib.sha256(b'x').hexdigest()}",
    )
    about = "Were the first taken here and the last there, one of them would be unchecked."
    add(
        "hash-twice",
        "hostile",
        "bad_signature",
        BODY,
        url=f"{base}?bodySHA256={digest}&bodySHA256={hashlib.sha256(b'x').hexdigest()}",
        about=about,
    )
    add(
        "hash-as-base64",
        "hostile",
        "bad_signature",
        BODY,
        url=f"{base}?bodySHA256={b64(hashlib.sha256(BODY).digest())}",
    )
    about = "Without the hash, a body that is no form is a form with a strange name; Twilio never signs one so."
    add("without-hash", "hostile", "bad_signature", BODY, url=base, about=about)
    add("hash-in-the-fragment", "hostile", "bad_signature", BODY, url=f"{base}#?bodySHA256={digest}")
    add("hash-under-another-case", "hostile", "bad_signature", BODY, url=f"{base}?bodysha256={digest}")
    moved = f"{base}?bodySHA256={digest}"
    headers: Headers = [("X-Twilio-Signature", b64(signature(base, b"")))]
    about = "The hash is signed with the URL: nobody else can add it."
    maker.add(
        "json-hash-added-to-a-signed-url",
        "hostile",
        "bad_signature",
        secrets=one,
        headers=headers,
        body=BODY,
        url=moved,
        about=about,
    )
    good: Headers = [("X-Twilio-Signature", b64(signature(moved, b"")))]
    maker.add("json-hash-taken-away", "hostile", "bad_signature", secrets=one, headers=good, body=BODY, url=base)
    ported = moved.replace(".com", ".com:443")
    maker.add("json-received-with-the-port", "valid", "valid", secrets=one, headers=good, body=BODY, url=ported)
    maker.add(
        "json-another-token", "tampered", "bad_signature", secrets=[TOKENS[1]], headers=good, body=BODY, url=moved
    )
    maker.add(
        "json-second-token",
        "rotated",
        "valid",
        secrets=[TOKENS[1], TOKENS[0]],
        headers=good,
        body=BODY,
        url=moved,
        key_index=1,
    )
