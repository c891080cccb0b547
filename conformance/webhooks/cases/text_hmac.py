"""One HMAC, the secret as it is written: Stripe, Paddle, GitHub, Slack, Zoom, Shopify, Square, Linear."""

from __future__ import annotations

import hashlib

from .families import Families
from .kit import Kit
from .making import BODY, NOW, Headers, Maker, b64, mac

URL = "https://hooks.example.com/square/events"
LINEAR_BODY = (
    b'{"action":"create","type":"Issue","data":{"amount":12.50,"webhookTimestamp":1},"webhookTimestamp":1700000000123}'
)


def stripe() -> Maker:
    """The whole `whsec_...` is the key."""
    maker = Maker("stripe")
    secrets = ("whsec_test_no_secret_of_anybody_1", "whsec_test_no_secret_of_anybody_2")
    kit = Kit(
        "stripe",
        secrets,
        lambda body, time, which: mac(secrets[which].encode(), time, b".", body),
        "Stripe-Signature",
        prefix="v1=",
        time_member="t",
        separator=",",
        tolerance=300,
    )
    Families(maker, kit).everything()
    good = kit.token()
    signature = good[3:]

    def add(name: str, kind: str, verdict: str, value: str, about: str = "") -> None:
        maker.add(name, kind, verdict, secrets=[secrets[0]], headers=[("Stripe-Signature", value)], about=about)

    add("v0-beside", "valid", "valid", f"t={NOW},{good},v0={'0' * 64}")
    add("v0-before", "valid", "valid", f"t={NOW},v0={'0' * 64},{good}")
    about = "v0 is signed with a test scheme; to take it would be a downgrade."
    add("only-v0", "hostile", "bad_signature", f"t={NOW},v0={signature}", about)
    add("v1-empty-v0-right", "hostile", "bad_signature", f"t={NOW},v1=,v0={signature}", about)
    add("timestamp-last", "valid", "valid", f"{good},t={NOW}")
    add("no-timestamp", "malformed", "bad_timestamp", good)
    add("no-signature-in-the-list", "malformed", "bad_signature", f"t={NOW}")
    about = "Libraries take the first or the last of them: the one that is checked may not be the one that was signed."
    add("timestamp-twice", "hostile", "bad_timestamp", f"t={NOW},t={NOW},{good}", about)
    add("a-fresh-timestamp-before-the-signed-one", "hostile", "bad_timestamp", f"t={NOW},t={NOW - 9999},{good}", about)
    add("a-fresh-timestamp-behind-the-signed-one", "hostile", "bad_timestamp", f"t={NOW - 9999},{good},t={NOW}", about)
    add("blanks-after-commas", "hostile", "bad_signature", f"t={NOW}, {good}")
    add("semicolons", "hostile", "bad_timestamp", f"t={NOW};{good}")
    add("name-in-upper-case", "hostile", "bad_signature", f"t={NOW},V1={signature}")
    add("an-equals-sign-more", "hostile", "bad_signature", f"t={NOW},v1=={signature}")
    add("an-equals-sign-behind", "hostile", "bad_signature", f"t={NOW},{good}=")
    add("nothing-but-commas", "malformed", "bad_timestamp", ",,,,")
    add("empty-members", "valid", "valid", f",,t={NOW},,{good},,")
    add("an-unknown-member-without-value", "valid", "valid", f"t={NOW},flag,{good}")
    decoded = mac(b"test", f"{NOW}.".encode(), BODY).hex()
    add("signed-with-part-of-the-secret", "tampered", "bad_signature", f"t={NOW},v1={decoded}")
    for title, secret in [
        ("standard-webhooks-public-key", "whpk_" + b64(bytes(32))),
        ("an-api-key", "sk_test_1234567890"),
        ("without-its-prefix", secrets[0][6:]),
    ]:
        maker.add(f"a-secret-{title}", "hostile", "key_error", secrets=[secret], headers=kit.signed())
    return maker


def paddle() -> Maker:
    """5 seconds, semicolons."""
    maker = Maker("paddle")
    secrets = ("pdl_ntfset_test_1_no_secret_of_anybody", "pdl_ntfset_test_2_no_secret_of_anybody")
    kit = Kit(
        "paddle",
        secrets,
        lambda body, time, which: mac(secrets[which].encode(), time, b":", body),
        "Paddle-Signature",
        prefix="h1=",
        time_member="ts",
        separator=";",
        tolerance=5,
    )
    Families(maker, kit).everything()
    good = kit.token()

    def add(name: str, kind: str, verdict: str, value: str) -> None:
        maker.add(name, kind, verdict, secrets=[secrets[0]], headers=[("Paddle-Signature", value)])

    add("no-timestamp", "malformed", "bad_timestamp", good)
    add("no-signature-in-the-list", "malformed", "bad_signature", f"ts={NOW}")
    add("timestamp-twice", "hostile", "bad_timestamp", f"ts={NOW};ts={NOW};{good}")
    add("a-fresh-timestamp-before-the-signed-one", "hostile", "bad_timestamp", f"ts={NOW};ts={NOW - 9999};{good}")
    add("commas", "hostile", "bad_timestamp", f"ts={NOW},{good}")
    add("h2-of-the-future-beside", "valid", "valid", f"ts={NOW};h2=ab;{good}")
    add("only-h2", "hostile", "bad_signature", f"ts={NOW};h2={good[3:]}")
    with_dot = mac(secrets[0].encode(), f"{NOW}.".encode(), BODY).hex()
    add("signed-as-stripe-does", "hostile", "bad_signature", f"ts={NOW};h1={with_dot}")
    maker.add(
        "a-public-key-as-secret", "hostile", "key_error", secrets=["whpk_" + b64(bytes(32))], headers=kit.signed()
    )
    maker.add("a-secret-of-7-bytes", "hostile", "key_error", secrets=["pdl_ntf"], headers=kit.signed())
    return maker


def github() -> Maker:
    """No timestamp, and an id that nobody signs."""
    maker = Maker("github")
    secrets = ("a test secret of the corpus", "another test secret of the corpus")
    kit = Kit(
        "github",
        secrets,
        lambda body, _time, which: mac(secrets[which].encode(), body),
        "X-Hub-Signature-256",
        prefix="sha256=",
    )
    Families(maker, kit).everything()
    maker.add(
        "published-vector",
        "valid",
        "valid",
        secrets=["It's a Secret to Everybody"],
        headers=[("X-Hub-Signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")],
        body=b"Hello, World!",
        about="The vector of GitHub's documentation.",
    )
    delivery = "72d3162e-cc78-11e3-81ab-4c9367dc0958"
    id_header: Headers = [("X-GitHub-Delivery", delivery)]
    maker.add(
        "with-a-delivery-id",
        "valid",
        "valid",
        secrets=[secrets[0]],
        headers=[*id_header, *kit.signed()],
        message_id=delivery,
        id_signed=False,
    )
    maker.add(
        "with-two-delivery-ids",
        "hostile",
        "valid",
        secrets=[secrets[0]],
        headers=[*id_header * 2, *kit.signed()],
        message_id=None,
    )
    maker.add(
        "with-an-empty-delivery-id",
        "hostile",
        "valid",
        secrets=[secrets[0]],
        headers=[("X-GitHub-Delivery", ""), *kit.signed()],
        message_id=None,
    )
    maker.add(
        "with-a-delivery-id-that-is-not-utf-8",
        "hostile",
        "valid",
        secrets=[secrets[0]],
        headers=[("X-GitHub-Delivery", b"\xff"), *kit.signed()],
        message_id=None,
    )
    about = "It is not signed: another one is no reason to refuse, and none to trust it."
    maker.add(
        "with-another-delivery-id",
        "hostile",
        "valid",
        secrets=[secrets[0]],
        headers=[("X-GitHub-Delivery", "other"), *kit.signed()],
        message_id="other",
        id_signed=False,
        about=about,
    )
    sha1 = mac(secrets[0].encode(), BODY, hash_name="sha1").hex()
    maker.add(
        "only-the-sha-1-header",
        "hostile",
        "missing_header",
        secrets=[secrets[0]],
        headers=[("X-Hub-Signature", f"sha1={sha1}")],
    )
    maker.add(
        "sha-1-in-the-header-of-sha-256",
        "hostile",
        "bad_signature",
        secrets=[secrets[0]],
        headers=[("X-Hub-Signature-256", f"sha1={sha1}")],
    )
    maker.add(
        "sha-1-called-sha-256",
        "hostile",
        "bad_signature",
        secrets=[secrets[0]],
        headers=[("X-Hub-Signature-256", f"sha256={sha1}")],
    )
    maker.add(
        "sha-1-wrong-sha-256-right",
        "valid",
        "valid",
        secrets=[secrets[0]],
        headers=[("X-Hub-Signature", "sha1=00"), *kit.signed()],
    )
    maker.add(
        "two-signatures-with-a-comma",
        "hostile",
        "bad_signature",
        secrets=[secrets[0]],
        headers=[("X-Hub-Signature-256", f"{kit.token()}, {kit.token()}")],
    )
    maker.add(
        "a-secret-of-one-byte",
        "valid",
        "valid",
        secrets=["x"],
        headers=[("X-Hub-Signature-256", f"sha256={mac(b'x', BODY).hex()}")],
    )
    utf8 = "pass\u00e9\U0001f511"
    maker.add(
        "a-secret-beyond-ascii",
        "valid",
        "valid",
        secrets=[utf8],
        headers=[("X-Hub-Signature-256", f"sha256={mac(utf8.encode(), BODY).hex()}")],
    )
    long = "k" * 65
    maker.add(
        "a-secret-longer-than-a-block",
        "valid",
        "valid",
        secrets=[long],
        headers=[("X-Hub-Signature-256", f"sha256={mac(long.encode(), BODY).hex()}")],
    )
    about = "HMAC takes the hash of a long key: only those who know the secret know it."
    hashed = hashlib.sha256(long.encode()).digest()
    maker.add(
        "a-secret-longer-than-a-block-hashed",
        "valid",
        "valid",
        secrets=[long],
        headers=[("X-Hub-Signature-256", f"sha256={mac(hashed, BODY).hex()}")],
        about=about,
    )
    maker.add(
        "a-public-key-as-secret", "hostile", "key_error", secrets=["whpk_" + b64(bytes(32))], headers=kit.signed()
    )
    maker.add(
        "a-pem-as-secret",
        "hostile",
        "key_error",
        secrets=["-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----"],
        headers=kit.signed(),
    )
    return maker


def slack_like(scheme: str, time_header: str, signature_header: str) -> Maker:
    """`v0:timestamp:body`."""
    maker = Maker(scheme)
    secrets = (f"{scheme}-test-secret-1-of-the-corpus", f"{scheme}-test-secret-2-of-the-corpus")
    kit = Kit(
        scheme,
        secrets,
        lambda body, time, which: mac(secrets[which].encode(), b"v0:", time, b":", body),
        signature_header,
        prefix="v0=",
        time_header=time_header,
        tolerance=300,
    )
    Families(maker, kit).everything()
    shifted = b"1:" + BODY
    about = "The colon after the timestamp is signed: nothing can wander over it."
    maker.add(
        "a-colon-in-the-timestamp",
        "hostile",
        "bad_timestamp",
        secrets=[secrets[0]],
        headers=kit.headers([kit.token(shifted)], f"{NOW}:1".encode()),
        about=about,
    )
    bare = mac(secrets[0].encode(), BODY).hex()
    maker.add(
        "signed-without-the-timestamp",
        "hostile",
        "bad_signature",
        secrets=[secrets[0]],
        headers=kit.headers([f"v0={bare}"]),
    )
    maker.add(
        "v1-of-the-future",
        "hostile",
        "bad_signature",
        secrets=[secrets[0]],
        headers=kit.headers(["v1=" + kit.token()[3:]]),
    )
    maker.add(
        "two-signatures-with-a-comma",
        "hostile",
        "bad_signature",
        secrets=[secrets[0]],
        headers=kit.headers([f"{kit.token()},{kit.token()}"]),
    )
    maker.add(
        "a-public-key-as-secret", "hostile", "key_error", secrets=["whpk_" + b64(bytes(32))], headers=kit.signed()
    )
    maker.add("a-secret-of-7-bytes", "hostile", "key_error", secrets=["seven77"], headers=kit.signed())
    return maker


def slack() -> Maker:
    """Slack, whose bodies are forms or JSON."""
    maker = slack_like("slack", "X-Slack-Request-Timestamp", "X-Slack-Signature")
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    headers: Headers = [("X-Slack-Request-Timestamp", "1531420618"), ("X-Slack-Signature", signature)]
    secret = "8f742231b10e8888abcd99yyyzzz85a5"
    about = "The vector of Slack's documentation."
    maker.add(
        "published-vector",
        "valid",
        "valid",
        secrets=[secret],
        headers=headers,
        body=body,
        now=1_531_420_618,
        about=about,
    )
    maker.add(
        "published-vector-decoded",
        "tampered",
        "bad_signature",
        secrets=[secret],
        headers=headers,
        body=body.replace(b"%2F", b"/"),
        now=1_531_420_618,
    )
    return maker


def zoom() -> Maker:
    """Zoom signs as Slack does."""
    return slack_like("zoom", "x-zm-request-timestamp", "x-zm-signature")


def shopify() -> Maker:
    """Base64, no timestamp."""
    maker = Maker("shopify")
    secrets = ("shpss_test_1_no_secret_of_anybody", "shpss_test_2_no_secret_of_anybody")
    kit = Kit(
        "shopify",
        secrets,
        lambda body, _time, which: mac(secrets[which].encode(), body),
        "X-Shopify-Hmac-Sha256",
        encoding="base64",
    )
    Families(maker, kit).everything()
    event: Headers = [("X-Shopify-Event-Id", "98880550-7158-44d4-b7cd-2c97c8a091b5")]
    maker.add(
        "with-an-event-id",
        "valid",
        "valid",
        secrets=[secrets[0]],
        headers=[*event, *kit.signed()],
        message_id="98880550-7158-44d4-b7cd-2c97c8a091b5",
        id_signed=False,
    )
    maker.add(
        "with-two-event-ids",
        "hostile",
        "valid",
        secrets=[secrets[0]],
        headers=[*event * 2, *kit.signed()],
        message_id=None,
    )
    about = "It is not signed: nothing in Shopify's headers but the signature is proven."
    maker.add(
        "an-old-triggered-at",
        "hostile",
        "valid",
        secrets=[secrets[0]],
        headers=[("X-Shopify-Triggered-At", "2001-01-01T00:00:00Z"), *kit.signed()],
        timestamp=None,
        about=about,
    )
    maker.add(
        "two-signatures-with-a-comma",
        "hostile",
        "bad_signature",
        secrets=[secrets[0]],
        headers=[("X-Shopify-Hmac-Sha256", f"{kit.token()}, {kit.token()}")],
    )
    maker.add(
        "a-public-key-as-secret", "hostile", "key_error", secrets=["whpk_" + b64(bytes(32))], headers=kit.signed()
    )
    maker.add("a-secret-of-7-bytes", "hostile", "key_error", secrets=["shpss_1"], headers=kit.signed())
    return maker


def square() -> Maker:
    """The URL is signed with the body, and nothing stands between them."""
    maker = Maker("square")
    secrets = ("square-test-key-1-of-the-corpus", "square-test-key-2-of-the-corpus")
    kit = Kit(
        "square",
        secrets,
        lambda body, _time, which: mac(secrets[which].encode(), URL.encode(), body),
        "x-square-hmacsha256-signature",
        encoding="base64",
        settings={"url": URL},
    )
    Families(maker, kit).everything()
    good, one = kit.signed(), [secrets[0]]
    maker.add("url-of-the-request", "valid", "valid", secrets=one, headers=good, url=URL, url_bound=True)
    maker.add(
        "url-set-up-and-another-of-the-request",
        "valid",
        "valid",
        secrets=one,
        headers=good,
        url="http://10.0.0.7:8080/square/events",
        settings={"url": URL},
    )
    maker.add(
        "origin-set-up-and-the-path-of-the-request",
        "valid",
        "valid",
        secrets=one,
        headers=good,
        url="http://10.0.0.7:8080/square/events",
        settings={"url": "https://hooks.example.com"},
    )
    maker.add("no-url", "malformed", "missing_url", secrets=one, headers=good)
    for title, url in [
        ("without-tls", URL.replace("https", "http")),
        ("with-a-slash-more", URL + "/"),
        ("with-a-port", URL.replace(".com", ".com:443")),
        ("of-another-host", URL.replace("hooks", "other")),
        ("with-a-query", URL + "?a=1"),
        ("in-upper-case", URL.upper()),
    ]:
        maker.add(f"url-{title}", "tampered", "bad_signature", secrets=one, headers=good, settings={"url": url})
    about = "Nothing stands between URL and body: a byte that moves over is caught since the URL is the receiver's own."
    maker.add(
        "a-byte-moved-from-the-url-to-the-body",
        "hostile",
        "bad_signature",
        secrets=one,
        headers=good,
        settings={"url": URL},
        body=b"s" + BODY,
        about=about,
    )
    bare = [("x-square-hmacsha256-signature", b64(mac(secrets[0].encode(), BODY)))]
    maker.add(
        "signed-without-the-url", "hostile", "bad_signature", secrets=one, headers=list(bare), settings={"url": URL}
    )
    old = [("x-square-signature", b64(mac(secrets[0].encode(), URL.encode(), BODY, hash_name="sha1")))]
    maker.add(
        "only-the-old-sha-1-header", "hostile", "missing_header", secrets=one, headers=list(old), settings={"url": URL}
    )
    maker.add(
        "a-public-key-as-secret",
        "hostile",
        "key_error",
        secrets=["whpk_" + b64(bytes(32))],
        headers=good,
        settings={"url": URL},
    )
    return maker


def linear() -> Maker:
    """The timestamp is in the body, in milliseconds."""
    maker = Maker("linear")
    secrets = ("lin_wh_test_1_no_secret_of_anybody", "lin_wh_test_2_no_secret_of_anybody")
    kit = Kit(
        "linear",
        secrets,
        lambda body, _time, which: mac(secrets[which].encode(), body),
        "Linear-Signature",
        body=LINEAR_BODY,
        any_body=False,
    )
    Families(maker, kit).everything()

    def add(name: str, kind: str, verdict: str, body: bytes, about: str = "", **more: object) -> None:
        maker.add(name, kind, verdict, secrets=[secrets[0]], headers=kit.signed(body), body=body, about=about, **more)  # type: ignore[arg-type]

    def at(milliseconds: object) -> bytes:
        return f'{{"type":"Issue","webhookTimestamp":{milliseconds}}}'.encode()

    now = NOW * 1000
    add("as-old-as-allowed", "valid", "valid", at(now - 60_000), timestamp=NOW - 60)
    add("as-new-as-allowed", "valid", "valid", at(now + 60_000), timestamp=NOW + 60)
    for title, by in [("a-second-too-old", 61_000), ("an-hour-old", 3_600_000), ("a-year-old", 31_536_000_000)]:
        add(title, "expired", "too_old", at(now - by))
    add("sent-at-0", "expired", "too_old", at(0))
    for title, by in [("a-second-too-new", 61_000), ("an-hour-ahead", 3_600_000), ("a-year-ahead", 31_536_000_000)]:
        add(title, "future", "too_new", at(now + by))
    add("seconds-for-milliseconds", "expired", "too_old", at(NOW))
    add("a-tolerance-of-an-hour", "valid", "valid", at(now - 3_600_000), settings={"tolerance": 3600})
    for title, value in [
        ("as-text", f'"{now}"'),
        ("null", "null"),
        ("true", "true"),
        ("with-a-fraction", f"{now}.5"),
        ("with-an-exponent", "1.7e12"),
        ("negative", f"-{now}"),
        ("in-a-list", f"[{now}]"),
        ("larger-than-64-bits", "18446744075409551616"),
    ]:
        add(f"timestamp-{title}", "hostile", "bad_timestamp", at(value))
    add("no-timestamp", "malformed", "bad_timestamp", b'{"type":"Issue"}')
    add("a-timestamp-further-down", "hostile", "bad_timestamp", f'{{"data":{{"webhookTimestamp":{now}}}}}'.encode())
    about = "The one at the top counts, wherever in the text it stands."
    add(
        "an-old-timestamp-a-fresh-one-further-down",
        "hostile",
        "too_old",
        f'{{"data":{{"webhookTimestamp":{now}}},"webhookTimestamp":1}}'.encode(),
        about,
    )
    add(
        "an-old-timestamp-a-fresh-one-in-a-text",
        "hostile",
        "too_old",
        f'{{"title":"\\"webhookTimestamp\\":{now}","webhookTimestamp":1}}'.encode(),
        about,
    )
    about = "Two parsers may take different ones."
    add(
        "timestamp-twice",
        "hostile",
        "body_malformed",
        f'{{"webhookTimestamp":1,"webhookTimestamp":{now}}}'.encode(),
        about,
    )
    for title, body in [
        ("no-json", b"hello"),
        ("empty", b""),
        ("a-list", b"[]"),
        ("cut", LINEAR_BODY[:-1]),
        ("followed-by-more", LINEAR_BODY + b"{}"),
        ("not-utf-8", b'{"webhookTimestamp":1,"a":"\xff"}'),
        ("with-a-comma-more", b'{"webhookTimestamp":1,}'),
    ]:
        add(f"body-{title}", "malformed", "body_malformed", body)
    add("spaces-around", "valid", "valid", b" \n" + LINEAR_BODY + b"\r\n")
    add("an-escaped-name", "valid", "valid", f'{{"webhook\\u0054imestamp":{now}}}'.encode())
    changed = LINEAR_BODY.replace(b"Issue", b"Other")
    maker.add("body-changed", "tampered", "bad_signature", secrets=[secrets[0]], headers=kit.signed(), body=changed)
    maker.add(
        "timestamp-changed",
        "tampered",
        "bad_signature",
        secrets=[secrets[0]],
        headers=kit.signed(),
        body=LINEAR_BODY.replace(b"123}", b"124}"),
    )
    about = "The header's timestamp is not signed."
    fresh: Headers = [("Linear-Timestamp", str(now))]
    maker.add(
        "a-fresh-timestamp-in-the-header",
        "hostile",
        "too_old",
        secrets=[secrets[0]],
        headers=[*fresh, *kit.signed(at(1))],
        body=at(1),
        about=about,
    )
    old: Headers = [("Linear-Timestamp", "1")]
    maker.add(
        "an-old-timestamp-in-the-header",
        "hostile",
        "valid",
        secrets=[secrets[0]],
        headers=[*old, *kit.signed()],
        body=LINEAR_BODY,
        about=about,
    )
    delivery: Headers = [("Linear-Delivery", "234d1a4e-b617-4388-90fe-adc3633d6b72")]
    maker.add(
        "with-a-delivery-id",
        "valid",
        "valid",
        secrets=[secrets[0]],
        headers=[*delivery, *kit.signed()],
        body=LINEAR_BODY,
        message_id="234d1a4e-b617-4388-90fe-adc3633d6b72",
        id_signed=False,
    )
    maker.add(
        "with-two-delivery-ids",
        "hostile",
        "valid",
        secrets=[secrets[0]],
        headers=[*delivery * 2, *kit.signed()],
        body=LINEAR_BODY,
        message_id=None,
    )
    maker.add(
        "a-public-key-as-secret",
        "hostile",
        "key_error",
        secrets=["whpk_" + b64(bytes(32))],
        headers=kit.signed(),
        body=LINEAR_BODY,
    )
    return maker
