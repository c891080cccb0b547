"""HTTP Message Signatures (RFC 9421)."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from reference import ed25519

from .asymmetric import ec_key, ecdsa
from .certificate import pss_sha512, rsa_key
from .making import BODY, NOW, OTHER_PUBLIC, OTHER_SEED, PUBLIC, SEED, Headers, Maker, b64, mac

if TYPE_CHECKING:
    from collections.abc import Callable

KEY, OTHER_KEY = b"a test key of the corpus, no secret!", b"another test key, which is no secret"
URL = "https://hooks.example.com/events?tenant=acme&x=%20y"
COVERED = ["@method", "@target-uri", "content-digest", "content-type"]


def pem(key: Any) -> str:
    """A public key as PEM."""
    encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return str(key.public_bytes(encoding, form).decode())


def p1363(name: str, message: bytes) -> bytes:
    """ECDSA as RFC 9421 has it: both numbers in 32 bytes each."""
    r, s = decode_dss_signature(ecdsa(name, message))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


ALGORITHMS: dict[str, tuple[str, str, Callable[[bytes, int], bytes]]] = {
    "hmac-sha256": (
        f"whsec_{b64(KEY)}",
        f"whsec_{b64(OTHER_KEY)}",
        lambda base, which: mac((KEY, OTHER_KEY)[which], base),
    ),
    "ed25519": (
        f"whpk_{b64(PUBLIC)}",
        f"whpk_{b64(OTHER_PUBLIC)}",
        lambda base, which: ed25519.sign((SEED, OTHER_SEED)[which], base),
    ),
    "ecdsa-p256-sha256": (
        pem(ec_key("p256-one").public_key()),
        pem(ec_key("p256-two").public_key()),
        lambda base, which: p1363(("p256-one", "p256-two")[which], base),
    ),
    "rsa-pss-sha512": (
        pem(rsa_key("sns").public_key()),
        pem(rsa_key("other").public_key()),
        lambda base, which: pss_sha512(("sns", "other")[which], base),
    ),
}
CONTENT_TYPE: Headers = [("Content-Type", "application/json")]


def digest(body: bytes, algorithm: str = "sha-256") -> str:
    """`Content-Digest`."""
    return f"{algorithm}=:{b64(hashlib.new(algorithm.replace('-', ''), body).digest())}:"


def parameters(covered: list[str], rest: str) -> str:
    """The value of `@signature-params`."""
    return "(" + " ".join(f'"{name}"' for name in covered) + ")" + rest


def values(body: bytes) -> dict[str, str]:
    """What the components of the usual request are worth."""
    return {
        "@method": "POST",
        "@target-uri": URL,
        "@authority": "hooks.example.com",
        "@scheme": "https",
        "@path": "/events",
        "@query": "?tenant=acme&x=%20y",
        "@request-target": "/events?tenant=acme&x=%20y",
        "content-digest": digest(body),
        "content-type": "application/json",
        "x-tags": "a, b",
    }


def base(covered: list[str], rest: str, known: dict[str, str]) -> bytes:
    """The signature base (section 2.5), of what the sender says the components are worth."""
    lines = [f'"{name}": {known[name]}\n' for name in covered]
    return ("".join(lines) + f'"@signature-params": {parameters(covered, rest)}').encode()


def request(
    algorithm: str = "hmac-sha256",
    *,
    covered: list[str] | None = None,
    rest: str = f';created={NOW};keyid="one"',
    body: bytes = BODY,
    which: int = 0,
    label: str = "sig1",
    known: dict[str, str] | None = None,
    extra: Headers | None = None,
) -> Headers:
    """All headers of a signed request."""
    names = COVERED if covered is None else covered
    signature = ALGORITHMS[algorithm][2](base(names, rest, {**values(body), **(known or {})}), which)
    return [
        *(CONTENT_TYPE if extra is None else extra),
        ("Content-Digest", digest(body)),
        ("Signature-Input", f"{label}={parameters(names, rest)}"),
        ("Signature", f"{label}=:{b64(signature)}:"),
    ]


def replaced(headers: Headers, name: str, value: bytes | str) -> Headers:
    """With another value of one header."""
    return [(title, value if title == name else old) for title, old in headers]


def http_signature() -> Maker:
    """All cases."""
    maker = Maker("http-signature")

    def add(
        name: str, kind: str, verdict: str, headers: Headers, *, algorithm: str = "hmac-sha256", **more: Any
    ) -> None:
        more.setdefault("secrets", [ALGORITHMS[algorithm][0]])
        more.setdefault("url", URL)
        maker.add(name, kind, verdict, headers=headers, **more)

    for algorithm in ALGORITHMS:
        of(algorithm, add)
    components(add)
    digests(add)
    clock(add)
    lists(add)
    keys(add)
    published(maker)
    return maker


def of(algorithm: str, add: Callable[..., None]) -> None:
    """What every algorithm has."""
    first, second, _ = ALGORITHMS[algorithm]
    good = request(algorithm)
    name = algorithm
    add(
        f"{name}-as-sent", "valid", "valid", good, algorithm=algorithm, url_bound=True, body_bound="full", timestamp=NOW
    )
    for title, body in [("empty", b""), ("binary", bytes(range(256)))]:
        add(f"{name}-body-{title}", "valid", "valid", request(algorithm, body=body), algorithm=algorithm, body=body)
    with_algorithm = request(algorithm, rest=f';created={NOW};alg="{algorithm}"')
    add(f"{name}-with-its-name", "valid", "valid", with_algorithm, algorithm=algorithm)
    for other in ["rsa-v1_5-sha256", "none", *(title for title in ALGORITHMS if title != algorithm)]:
        wrong = request(algorithm, rest=f';created={NOW};alg="{other}"')
        add(f"{name}-called-{other}", "hostile", "bad_signature", wrong, algorithm=algorithm)
    add(f"{name}-body-changed", "tampered", "bad_signature", good, algorithm=algorithm, body=BODY + b" ")
    add(f"{name}-method-changed", "tampered", "bad_signature", good, algorithm=algorithm, method="PUT")
    add(f"{name}-url-changed", "tampered", "bad_signature", good, algorithm=algorithm, url=URL + "&more=1")
    changed_type = replaced(good, "Content-Type", "text/plain")
    add(f"{name}-header-changed", "tampered", "bad_signature", changed_type, algorithm=algorithm)
    add(f"{name}-another-key", "tampered", "bad_signature", request(algorithm, which=1), algorithm=algorithm)
    second_key = request(algorithm, which=1)
    add(f"{name}-the-second-of-two-keys", "rotated", "valid", second_key, secrets=[first, second], key_index=1)
    value = str(good[-1][1])
    signature = _raw(value)
    flipped = signature[:-1] + bytes([signature[-1] ^ 1])
    for title, changed in [
        ("last-bit-flipped", flipped),
        ("cut", signature[:-1]),
        ("longer", signature + b"\0"),
        ("of-zeros", bytes(len(signature))),
        ("empty", b""),
    ]:
        headers = replaced(good, "Signature", f"sig1=:{b64(changed)}:")
        add(f"{name}-signature-{title}", "tampered", "bad_signature", headers, algorithm=algorithm)
    if algorithm == "ecdsa-p256-sha256":
        der = ecdsa("p256-one", base(COVERED, f';created={NOW};keyid="one"', values(BODY)))
        add(
            f"{name}-signature-as-der",
            "hostile",
            "bad_signature",
            replaced(good, "Signature", f"sig1=:{b64(der)}:"),
            algorithm=algorithm,
        )
    if algorithm == "rsa-pss-sha512":
        signed = base(COVERED, f';created={NOW};keyid="one"', values(BODY))
        for salt in (0, 32, 63):
            short = pss_sha512("sns", signed, salt)
            about = "The salt has 64 bytes (section 3.3.1)."
            add(
                f"{name}-salt-of-{salt}-bytes",
                "hostile",
                "bad_signature",
                replaced(good, "Signature", f"sig1=:{b64(short)}:"),
                algorithm=algorithm,
                about=about,
            )
    if algorithm == "ed25519":
        grown = signature[:32] + (int.from_bytes(signature[32:], "little") + ed25519.L).to_bytes(32, "little")
        add(
            f"{name}-s-plus-l",
            "hostile",
            "bad_signature",
            replaced(good, "Signature", f"sig1=:{b64(grown)}:"),
            algorithm=algorithm,
        )
    if algorithm != "hmac-sha256":
        add(f"{name}-hmac-under-the-public-key", "hostile", "bad_signature", _forged(first), algorithm=algorithm)


def _forged(public: str) -> Headers:
    rest = f';created={NOW};alg="hmac-sha256"'
    signature = mac(public.encode(), base(COVERED, rest, values(BODY)))
    return [
        *CONTENT_TYPE,
        ("Content-Digest", digest(BODY)),
        ("Signature-Input", f"sig1={parameters(COVERED, rest)}"),
        ("Signature", f"sig1=:{b64(signature)}:"),
    ]


def components(add: Callable[..., None]) -> None:
    """What is covered."""
    for covered, bound in [
        (["content-digest"], False),
        (["@authority", "@path", "@query", "content-digest"], True),
        (["@authority", "@request-target", "content-digest"], True),
        (["@authority", "@path", "content-digest"], False),
        (["@scheme", "content-digest"], False),
        (["content-digest", "@method"], False),
    ]:
        title = "-".join(name.removeprefix("@") for name in covered)
        add(f"covering-{title}", "valid", "valid", request(covered=covered), url_bound=bound)
    about = "Without content-digest nothing of the body is signed."
    headers = request(covered=["@method", "@target-uri"])
    add("body-not-covered", "hostile", "not_covered", headers, about=about)
    add("body-not-covered-and-changed", "hostile", "not_covered", headers, body=b"evil", about=about)
    add("body-not-covered-and-not-asked-for", "valid", "valid", headers, settings={"components": []}, body_bound="none")
    add("nothing-covered", "hostile", "not_covered", request(covered=[]))
    add(
        "nothing-covered-nor-asked-for",
        "hostile",
        "valid",
        request(covered=[]),
        settings={"components": []},
        body_bound="none",
        url_bound=False,
    )
    asked = {"components": ["@method", "content-digest"]}
    add("all-that-is-asked-for", "valid", "valid", request(), settings=asked)
    add("not-all-that-is-asked-for", "hostile", "not_covered", request(covered=["content-digest"]), settings=asked)
    tags: Headers = [*CONTENT_TYPE, ("X-Tags", "a"), ("x-tags", " b ")]
    add("a-header-in-two-lines", "valid", "valid", request(covered=["content-digest", "x-tags"], extra=tags))
    one: Headers = [*CONTENT_TYPE, ("X-Tags", "a, b")]
    add("a-header-in-one-line", "valid", "valid", request(covered=["content-digest", "x-tags"], extra=one))
    swapped: Headers = [*CONTENT_TYPE, ("X-Tags", "b"), ("X-Tags", "a")]
    add(
        "a-header-in-another-order",
        "tampered",
        "bad_signature",
        request(covered=["content-digest", "x-tags"], extra=swapped),
    )
    add("a-covered-header-is-gone", "tampered", "bad_signature", request(covered=["content-digest", "x-tags"]))
    empty: Headers = [*CONTENT_TYPE, ("X-Tags", "")]
    add(
        "a-covered-header-is-empty",
        "valid",
        "valid",
        request(covered=["content-digest", "x-tags"], extra=empty, known={"x-tags": ""}),
    )
    add("a-component-twice", "hostile", "bad_signature", request(covered=["content-digest", "@method", "@method"]))
    add(
        "an-unknown-component",
        "hostile",
        "bad_signature",
        request(covered=["content-digest", "@body"], known={"@body": "x"}),
    )
    add(
        "a-component-of-answers",
        "hostile",
        "bad_signature",
        request(covered=["content-digest", "@status"], known={"@status": "200"}),
    )
    add(
        "signature-params-as-a-component",
        "hostile",
        "bad_signature",
        request(covered=["content-digest", "@signature-params"], known={"@signature-params": "x"}),
    )
    add(
        "a-header-in-upper-case",
        "hostile",
        "bad_signature",
        request(covered=["content-digest", "Content-Type"], known={"Content-Type": "application/json"}),
    )
    good = request(covered=["content-digest", "@method"])
    swapped_input = replaced(good, "Signature-Input", f'sig1=("@method" "content-digest");created={NOW};keyid="one"')
    add("components-in-another-order", "tampered", "bad_signature", swapped_input)
    fewer = replaced(good, "Signature-Input", f'sig1=("content-digest");created={NOW};keyid="one"')
    add("a-component-taken-away", "tampered", "bad_signature", fewer)
    spaced = replaced(good, "Signature-Input", f'sig1=(  "content-digest"   "@method" ); created={NOW};keyid="one"')
    about = "What is signed is the one way to write it (section 2.3)."
    add("spaces-between-components", "valid", "valid", spaced, about=about)
    add(
        "url-of-another-host",
        "tampered",
        "bad_signature",
        request(covered=["content-digest", "@authority"]),
        url="https://evil.example.com/events",
    )
    add(
        "authority-in-upper-case-with-port",
        "valid",
        "valid",
        request(covered=["content-digest", "@authority"]),
        url="https://HOOKS.example.com:443/events",
    )
    add(
        "authority-with-another-port",
        "tampered",
        "bad_signature",
        request(covered=["content-digest", "@authority"]),
        url="https://hooks.example.com:8443/events",
    )
    add("no-url", "malformed", "missing_url", request(), url=None)
    add("no-url-where-none-is-covered", "valid", "valid", request(covered=["content-digest"]), url=None)
    add(
        "path-of-nothing",
        "valid",
        "valid",
        request(covered=["content-digest", "@path"], known={"@path": "/"}),
        url="https://hooks.example.com",
    )
    add(
        "query-of-nothing",
        "valid",
        "valid",
        request(covered=["content-digest", "@query"], known={"@query": "?"}),
        url="https://hooks.example.com/a",
    )


def digests(add: Callable[..., None]) -> None:
    """`Content-Digest` (RFC 9530)."""

    def with_digest(text: str) -> Headers:
        headers = request(covered=["content-digest"], known={"content-digest": text})
        return replaced(headers, "Content-Digest", text)

    add("digest-sha-512", "valid", "valid", with_digest(digest(BODY, "sha-512")))
    add("digest-of-both", "valid", "valid", with_digest(f"{digest(BODY)}, {digest(BODY, 'sha-512')}"))
    add("digest-of-an-unknown-hash-as-well", "valid", "valid", with_digest(f"{digest(BODY)}, md5=:AAAA:"))
    about = "Every digest that is known must be right: another reader may take the other."
    add(
        "digest-right-and-wrong",
        "hostile",
        "bad_signature",
        with_digest(f"{digest(BODY)}, {digest(b'x', 'sha-512')}"),
        about=about,
    )
    about = "It is signed, but it is not the body's."
    add("digest-of-another-body", "hostile", "bad_signature", with_digest(digest(b"x")), about=about)
    add(
        "digest-in-hexadecimal",
        "hostile",
        "bad_signature",
        with_digest(f"sha-256=:{hashlib.sha256(BODY).hexdigest()}:"),
    )
    add("digest-cut", "hostile", "bad_signature", with_digest(f"sha-256=:{b64(hashlib.sha256(BODY).digest()[:16])}:"))
    good = request()
    add(
        "digest-taken-away",
        "tampered",
        "bad_signature",
        [(name, value) for name, value in good if name != "Content-Digest"],
    )
    swapped = replaced(good, "Content-Digest", digest(b"evil"))
    add("digest-and-body-changed", "tampered", "bad_signature", swapped, body=b"evil")


def clock(add: Callable[..., None]) -> None:
    """`created` and `expires`."""

    def at(rest: str) -> Headers:
        return request(rest=rest)

    for title, by in [("as-old-as-allowed", -300), ("as-new-as-allowed", 300)]:
        add(title, "valid", "valid", at(f";created={NOW + by}"))
    for title, by in [("a-second-too-old", 301), ("a-day-old", 86_400)]:
        add(title, "expired", "too_old", at(f";created={NOW - by}"))
    for title, by in [("a-second-too-new", 301), ("a-day-ahead", 86_400)]:
        add(title, "future", "too_new", at(f";created={NOW + by}"))
    add("old-but-tolerated", "valid", "valid", at(f";created={NOW - 1000}"), settings={"tolerance": 1000})
    add("not-yet-expired", "valid", "valid", at(f";created={NOW};expires={NOW + 10}"))
    add("expired-a-minute-ago", "expired", "too_old", at(f";created={NOW - 120};expires={NOW - 60}"))
    add("no-created", "malformed", "bad_timestamp", at(';keyid="one"'))
    for title, value in [
        ("as-text", f'"{NOW}"'),
        ("with-a-fraction", f"{NOW}.5"),
        ("negative", "-1"),
        ("a-word", "now"),
        ("true", "?1"),
    ]:
        verdict = "bad_signature" if title == "with-a-fraction" else "bad_timestamp"
        add(f"created-{title}", "hostile", verdict, at(f";created={value}"))
    add("expires-as-text", "hostile", "bad_timestamp", at(f';created={NOW};expires="{NOW + 10}"'))
    moved = replaced(at(f";created={NOW - 200}"), "Signature-Input", f"sig1={parameters(COVERED, f';created={NOW}')}")
    add("created-changed", "tampered", "bad_signature", moved)
    longer = replaced(
        at(f";created={NOW};expires={NOW + 10}"), "Signature-Input", f"sig1={parameters(COVERED, f';created={NOW}')}"
    )
    add("expires-taken-away", "tampered", "bad_signature", longer)
    add("with-a-nonce-and-a-tag", "valid", "valid", at(f';created={NOW};nonce="abc";tag="webhook"'))


def lists(add: Callable[..., None]) -> None:
    """Headers, labels, structured fields."""
    good = request()
    given, described = str(good[-1][1]), str(good[-2][1])
    for name in ("Signature", "Signature-Input"):
        what = name.lower()
        value = next(value for title, value in good if title == name)
        add(f"no-{what}", "malformed", "missing_header", [(title, old) for title, old in good if title != name])
        add(f"empty-{what}", "malformed", "empty_header", replaced(good, name, ""))
        add(f"{what}-twice", "hostile", "repeated_header", [*good, (name, value)])
    add("header-names-in-upper-case", "valid", "valid", [(name.upper(), value) for name, value in good])
    wrong = f"other=:{b64(bytes(32))}:"
    inputs = f"other={parameters(COVERED, f';created={NOW}')}"
    two = replaced(replaced(good, "Signature", f"{wrong}, {given}"), "Signature-Input", f"{inputs}, {described}")
    add("the-second-label", "rotated", "valid", two)
    two = replaced(replaced(good, "Signature", f"{given},{wrong}"), "Signature-Input", f"{inputs},{described}")
    add("labels-in-another-order", "valid", "valid", two)
    add("label-without-signature", "tampered", "bad_signature", replaced(good, "Signature", wrong))
    add("signature-without-input", "tampered", "bad_signature", replaced(good, "Signature-Input", inputs))
    add("another-label", "valid", "valid", request(label="a-1.b_*"))
    signatures: list[tuple[str, bytes | str]] = [
        ("a-label-in-upper-case", given.replace("sig1", "SIG1")),
        ("no-structured-field", "v1=abc"),
        ("without-colons", given.replace(":", "")),
        ("a-text", 'sig1="' + given[6:-1] + '"'),
        ("without-padding", given.replace("=:", ":").replace("sig1:", "sig1=:")),
        (
            "in-the-alphabet-for-urls",
            given.replace("+", "-").replace("/", "_") if set("+/") & set(given) else "sig1=:-_-_:",
        ),
        ("with-a-comma-behind", given + ","),
        ("not-utf-8", given.encode() + b"\xff"),
    ]
    for title, value in signatures:
        add(f"signature-{title}", "malformed", "bad_signature", replaced(good, "Signature", value))
    inputs_given: list[tuple[str, bytes | str]] = [
        ("no-structured-field", "hello world"),
        ("not-closed", described.replace(")", "")),
        ("no-list", "sig1=1"),
        ("components-without-quotes", described.replace('"', "")),
        ("components-without-spaces", described.replace('" "', '""')),
        ("with-a-comma-behind", described + ","),
        ("empty-parameter", described + ";"),
        ("not-ascii", described.encode() + "\u00e9".encode()),
    ]
    for title, value in inputs_given:
        add(f"signature-input-{title}", "malformed", "bad_signature", replaced(good, "Signature-Input", value))
    add("a-signature-of-9-kB", "hostile", "too_many_signatures", replaced(good, "Signature", f"sig1=:{'A' * 9000}:"))
    add("over-the-cap", "malformed", "body_too_large", good, settings={"max_body": 10})


def keys(add: Callable[..., None]) -> None:
    """Keys and their ids."""
    first, second, _ = ALGORITHMS["hmac-sha256"]
    both = {"key_ids": ["one", "two"]}
    add("by-key-id", "rotated", "valid", request(), secrets=[first, second], settings=both, key_index=0)
    add(
        "by-the-second-key-id",
        "rotated",
        "valid",
        request(rest=f';created={NOW};keyid="two"', which=1),
        secrets=[first, second],
        settings=both,
        key_index=1,
    )
    add(
        "right-key-wrong-id",
        "hostile",
        "bad_signature",
        request(rest=f';created={NOW};keyid="two"'),
        secrets=[first, second],
        settings=both,
    )
    add(
        "an-unknown-key-id",
        "hostile",
        "bad_signature",
        request(rest=f';created={NOW};keyid="three"'),
        secrets=[first, second],
        settings=both,
    )
    add(
        "key-id-in-upper-case",
        "hostile",
        "bad_signature",
        request(rest=f';created={NOW};keyid="ONE"'),
        secrets=[first, second],
        settings=both,
    )
    add(
        "no-key-id-where-one-is-asked-for",
        "hostile",
        "bad_signature",
        request(rest=f";created={NOW}"),
        secrets=[first, second],
        settings=both,
    )
    other_id = parameters(COVERED, f';created={NOW};keyid="two"')
    add(
        "key-id-changed",
        "tampered",
        "bad_signature",
        replaced(request(), "Signature-Input", f"sig1={other_id}"),
        secrets=[first],
    )
    mixed = [ALGORITHMS[name][0] for name in ALGORITHMS]
    for index, name in enumerate(ALGORITHMS):
        add(
            f"{name}-among-keys-of-all-algorithms",
            "rotated",
            "valid",
            request(name),
            secrets=mixed,
            key_index=index,
            algorithm=name,
        )
    for title, secret in [
        ("empty", ""),
        ("of-23-bytes", f"whsec_{b64(KEY[:23])}"),
        ("that-is-none", "hello"),
        ("of-another-curve", pem(ec_key("p384").public_key())),
        ("of-short-rsa", pem(rsa_key("short").public_key())),
        ("of-low-order", f"whpk_{b64(bytes(32))}"),
        ("cut", first[:-3]),
    ]:
        add(f"a-key-{title}", "hostile", "key_error", request(), secrets=[secret])
    add("no-key", "hostile", "key_error", request(), secrets=[])


def published(maker: Maker) -> None:
    """RFC 9421, appendix B.2.5, whose signature does not cover the body."""
    secret = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="
    headers: Headers = [
        ("Host", "example.com"),
        ("Date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        ("Content-Type", "application/json"),
        ("Content-Length", "18"),
        (
            "Signature-Input",
            'sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
        ),
        ("Signature", "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:"),
    ]
    settings = {"components": [], "key_ids": ["test-shared-secret"]}
    about = "RFC 9421, appendix B.2.5."
    for title, kind, verdict, chosen in [
        ("published-vector", "valid", "valid", settings),
        ("published-vector-without-its-body", "hostile", "not_covered", {}),
    ]:
        maker.add(
            title,
            kind,
            verdict,
            secrets=[f"whsec_{secret}"],
            headers=headers,
            body=b'{"hello": "world"}',
            url="https://example.com/foo?param=Value&Pet=dog",
            now=1_618_884_473,
            settings=chosen,
            about=about,
        )


def _raw(value: str) -> bytes:
    return base64.b64decode(value.partition("=:")[2].rstrip(":"))
