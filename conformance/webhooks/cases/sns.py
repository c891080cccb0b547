"""AWS SNS, whose signature is in the body and covers some members of it."""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.hazmat.primitives import hashes

from .certificate import certificate, pkcs1
from .making import NOW, Maker, b64

TOPIC = "arn:aws:sns:us-west-2:123456789012:MyTopic"
CERT_URL = "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-0000000000000000000000.pem"
NOTIFICATION: dict[str, Any] = {
    "Type": "Notification",
    "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
    "TopicArn": TOPIC,
    "Subject": "My First Message",
    "Message": 'Hello world! {"amount":12.50}\nSecond line',
    "Timestamp": "2023-11-14T22:13:20.123Z",
    "SignatureVersion": "2",
    "SigningCertURL": CERT_URL,
    "UnsubscribeURL": f"https://sns.us-west-2.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={TOPIC}:c9135db0",
}
SUBSCRIPTION: dict[str, Any] = {
    "Type": "SubscriptionConfirmation",
    "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
    "Token": "2336412f37fb687f5d51e6e241d09c805a5a57b30d712f794cc5f6a988666d92768dd60a747ba6f3beb71854e285d6ad02",
    "TopicArn": TOPIC,
    "Message": f"You have chosen to subscribe to the topic {TOPIC}.\nTo confirm it, visit the SubscribeURL.",
    "SubscribeURL": f"https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336",
    "Timestamp": "2023-11-14T22:13:20.123Z",
    "SignatureVersion": "2",
    "SigningCertURL": CERT_URL,
}
ORDER = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]


def text_of(members: dict[str, Any]) -> str:
    """What SNS signs."""
    names = [name for name in ORDER if name in members]
    return "".join(f"{name}\n{members[name]}\n" for name in names)


def signed(members: dict[str, Any], key: str = "sns", text: str | None = None) -> dict[str, Any]:
    """The members with their signature."""
    algorithm: hashes.HashAlgorithm = hashes.SHA1() if members["SignatureVersion"] == "1" else hashes.SHA256()
    signature = pkcs1(key, (text_of(members) if text is None else text).encode(), algorithm)
    return {**members, "Signature": b64(signature)}


def sns() -> Maker:
    """All cases."""
    maker = Maker("sns")
    good_certificate = certificate("sns")

    def add(name: str, kind: str, verdict: str, body: bytes | dict[str, Any], about: str = "", **more: Any) -> None:
        sent = body if isinstance(body, bytes) else json.dumps(body, indent=2).encode()
        settings = {"certificate": good_certificate, "topic_arn": TOPIC, **more.pop("settings", {})}
        settings = {title: value for title, value in settings.items() if value is not None}
        maker.add(
            name,
            kind,
            verdict,
            secrets=[],
            headers=[("x-amz-sns-message-type", "Notification")],
            body=sent,
            settings=settings,
            about=about,
            **more,
        )

    def changed(**members: Any) -> dict[str, Any]:
        return {**NOTIFICATION, **members}

    good = signed(NOTIFICATION)
    proven = {"message_id": NOTIFICATION["MessageId"], "id_signed": True, "timestamp": NOW, "timestamp_signed": True}
    add("notification", "valid", "valid", good, algorithm="rsa-sha256", **proven)
    add("notification-of-version-1", "valid", "valid", signed(changed(SignatureVersion="1")), algorithm="rsa-sha1")
    without_subject = {name: value for name, value in NOTIFICATION.items() if name != "Subject"}
    add("notification-without-subject", "valid", "valid", signed(without_subject))
    add("notification-with-an-empty-subject", "valid", "valid", signed(changed(Subject="")))
    add("notification-with-an-empty-message", "valid", "valid", signed(changed(Message="")))
    add("notification-beyond-ascii", "valid", "valid", signed(changed(Message="Zo\u00eb \U0001f600")))
    add(
        "written-in-utf-8",
        "valid",
        "valid",
        json.dumps(signed(changed(Message="Zo\u00eb \U0001f600")), ensure_ascii=False).encode(),
    )
    add("subscription", "valid", "valid", signed(SUBSCRIPTION))
    add("subscription-of-version-1", "valid", "valid", signed({**SUBSCRIPTION, "SignatureVersion": "1"}))
    add("unsubscription", "valid", "valid", signed({**SUBSCRIPTION, "Type": "UnsubscribeConfirmation"}))
    add("members-sorted", "valid", "valid", dict(sorted(good.items())))
    add("without-spaces", "valid", "valid", json.dumps(good, separators=(",", ":")).encode())
    add("names-escaped", "valid", "valid", json.dumps(good).replace('"Message"', '"\\u004dessage"').encode())
    add(
        "of-an-hour-ago",
        "valid",
        "valid",
        signed(changed(Timestamp="2023-11-14T21:13:20.123Z")),
        "SNS retries for long: there is no tolerance unless one is set.",
    )
    add("of-last-year", "valid", "valid", signed(changed(Timestamp="2022-11-14T21:13:20.123Z")))
    add("timestamp-without-fraction", "valid", "valid", signed(changed(Timestamp="2023-11-14T22:13:20Z")))
    add(
        "as-old-as-the-tolerance",
        "valid",
        "valid",
        signed(changed(Timestamp="2023-11-14T22:03:20Z")),
        settings={"tolerance": 600},
    )
    add(
        "older-than-the-tolerance",
        "expired",
        "too_old",
        signed(changed(Timestamp="2023-11-14T22:03:19Z")),
        settings={"tolerance": 600},
    )
    add(
        "an-hour-old-of-tolerance-600",
        "expired",
        "too_old",
        signed(changed(Timestamp="2023-11-14T21:13:20Z")),
        settings={"tolerance": 600},
    )
    add(
        "newer-than-the-tolerance",
        "future",
        "too_new",
        signed(changed(Timestamp="2023-11-14T22:23:21Z")),
        settings={"tolerance": 600},
    )
    about = "Anybody can have a topic and sign with Amazon's key: the topic must be one's own."
    add(
        "another-topic",
        "hostile",
        "wrong_topic",
        signed(changed(TopicArn="arn:aws:sns:us-west-2:999999999999:MyTopic")),
        about,
    )
    add("another-topic-in-upper-case", "hostile", "wrong_topic", signed(changed(TopicArn=TOPIC.upper())))
    add("a-topic-that-begins-alike", "hostile", "wrong_topic", signed(changed(TopicArn=TOPIC + "2")))
    add("no-topic", "hostile", "key_error", good, about, settings={"topic_arn": None})
    add("an-empty-topic", "hostile", "key_error", good, about, settings={"topic_arn": ""})

    add("TopicArn-changed", "tampered", "wrong_topic", {**good, "TopicArn": TOPIC + "x"})
    for name in ("Message", "MessageId", "Subject"):
        add(f"{name}-changed", "tampered", "bad_signature", {**good, name: good[name] + "x"})
    add("Timestamp-changed", "tampered", "bad_signature", {**good, "Timestamp": "2023-11-14T22:13:21.123Z"})
    add(
        "Timestamp-with-another-fraction",
        "tampered",
        "bad_signature",
        {**good, "Timestamp": "2023-11-14T22:13:20.124Z"},
    )
    add(
        "Subject-taken-away",
        "tampered",
        "bad_signature",
        {name: value for name, value in good.items() if name != "Subject"},
    )
    add("Subject-added", "tampered", "bad_signature", {**signed(without_subject), "Subject": "x"})
    add(
        "SubscribeURL-changed",
        "tampered",
        "bad_signature",
        {**signed(SUBSCRIPTION), "SubscribeURL": "https://evil.example.com/"},
    )
    add("Token-changed", "tampered", "bad_signature", {**signed(SUBSCRIPTION), "Token": "0"})
    add(
        "unsubscription-called-subscription",
        "tampered",
        "bad_signature",
        {**signed({**SUBSCRIPTION, "Type": "UnsubscribeConfirmation"}), "Type": "SubscriptionConfirmation"},
    )
    add(
        "version-1-called-2",
        "tampered",
        "bad_signature",
        {**signed(changed(SignatureVersion="1")), "SignatureVersion": "2"},
    )
    add("version-2-called-1", "tampered", "bad_signature", {**good, "SignatureVersion": "1"})
    add("another-key", "tampered", "bad_signature", signed(NOTIFICATION, "other"))
    add("another-certificate", "tampered", "bad_signature", good, settings={"certificate": certificate("other")})
    add(
        "a-certificate-renewed-meanwhile",
        "rotated",
        "valid",
        signed(NOTIFICATION, "other"),
        settings={"certificate": certificate("other")},
    )
    about = "They are not signed: `body_bound` is `fields`."
    add(
        "UnsubscribeURL-changed",
        "hostile",
        "valid",
        {**good, "UnsubscribeURL": "https://evil.example.com/"},
        about,
        body_bound="fields",
    )
    add(
        "MessageAttributes-added",
        "hostile",
        "valid",
        {**good, "MessageAttributes": {"role": {"Type": "String", "Value": "admin"}}},
        about,
        body_bound="fields",
    )
    add(
        "SubscribeURL-added-to-a-notification",
        "hostile",
        "valid",
        {**good, "SubscribeURL": "https://evil.example.com/"},
        about,
        body_bound="fields",
    )

    about = "Two parsers may take different ones: the one that is verified may not be the one that is used."
    raw = json.dumps(good)
    add(
        "Message-twice-the-right-one-last",
        "hostile",
        "body_malformed",
        raw.replace("{", '{"Message": "evil", ', 1).encode(),
        about,
    )
    add(
        "Message-twice-the-right-one-first",
        "hostile",
        "body_malformed",
        (raw[:-1] + ', "Message": "evil"}').encode(),
        about,
    )
    add(
        "Message-twice-once-escaped",
        "hostile",
        "body_malformed",
        (raw[:-1] + ', "\\u004dessage": "evil"}').encode(),
        about,
    )
    add("TopicArn-twice", "hostile", "body_malformed", (raw[:-1] + f', "TopicArn": "{TOPIC}"}}').encode(), about)
    about = "The lines of the signed text can be cut otherwise, were line ends allowed everywhere."
    folded = {
        **without_subject,
        "MessageId": f"{NOTIFICATION['MessageId']}\nSubject\n{NOTIFICATION['Subject']}",
        "Signature": good["Signature"],
    }
    add("Subject-folded-into-MessageId", "hostile", "body_malformed", folded, about)
    split = changed(Message="a\nMessageId\nb\nSubject\nc")
    recut = {
        **split,
        "Message": "a",
        "MessageId": "b",
        "Subject": f"c\nMessageId\n{split['MessageId']}\nSubject\n{split['Subject']}",
        "Signature": signed(split)["Signature"],
    }
    add("Message-cut-into-members", "hostile", "body_malformed", recut, about)
    add("Message-that-looks-like-members", "hostile", "valid", signed(split), "An honest message may contain anything.")
    add("Subject-with-a-line-end", "hostile", "body_malformed", signed(changed(Subject="a\nb")), about)
    add("Type-with-a-line-end", "hostile", "body_malformed", {**good, "Type": "Notification\n"})

    for title, url in [
        ("of-another-host", "https://evil.example.com/SimpleNotificationService-0.pem"),
        ("without-tls", CERT_URL.replace("https", "http")),
        ("of-a-bucket", "https://sns.s3.amazonaws.com.evil.example.com/SimpleNotificationService-0.pem"),
        (
            "with-the-host-as-prefix",
            "https://sns.us-west-2.amazonaws.com.evil.example.com/SimpleNotificationService-0.pem",
        ),
        ("with-the-host-as-suffix", "https://evil-sns.us-west-2.amazonaws.com/SimpleNotificationService-0.pem"),
        (
            "of-another-service",
            "https://s3.us-west-2.amazonaws.com/sns.us-west-2.amazonaws.com/SimpleNotificationService-0.pem",
        ),
        (
            "with-the-host-as-user",
            "https://sns.us-west-2.amazonaws.com@evil.example.com/SimpleNotificationService-0.pem",
        ),
        ("with-a-user", "https://user@sns.us-west-2.amazonaws.com/SimpleNotificationService-0.pem"),
        (
            "with-the-host-in-the-query",
            "https://evil.example.com/?sns.us-west-2.amazonaws.com/SimpleNotificationService-0.pem",
        ),
        (
            "with-the-host-in-the-fragment",
            "https://evil.example.com/#sns.us-west-2.amazonaws.com/SimpleNotificationService-0.pem",
        ),
        ("with-a-backslash", "https://evil.example.com\\.sns.us-west-2.amazonaws.com/SimpleNotificationService-0.pem"),
        ("of-a-short-region", "https://sns.us.amazonaws.com/SimpleNotificationService-0.pem"),
        ("without-region", "https://sns.amazonaws.com/SimpleNotificationService-0.pem"),
        ("of-two-regions", "https://sns.us-west-2.evil.amazonaws.com/SimpleNotificationService-0.pem"),
        ("of-another-country", "https://sns.us-west-2.amazonaws.com.de/SimpleNotificationService-0.pem"),
        ("with-a-dot-behind", "https://sns.us-west-2.amazonaws.com./SimpleNotificationService-0.pem"),
        ("with-another-port", "https://sns.us-west-2.amazonaws.com:8443/SimpleNotificationService-0.pem"),
        ("with-a-line-end", CERT_URL + "\n"),
        (
            "with-a-line-end-in-the-host",
            "https://evil.example.com\n.sns.us-west-2.amazonaws.com/SimpleNotificationService-0.pem",
        ),
        ("that-is-no-pem", "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-0.html"),
        ("of-another-name", "https://sns.us-west-2.amazonaws.com/x.pem"),
        ("of-another-folder", "https://sns.us-west-2.amazonaws.com/a/SimpleNotificationService-0.pem"),
        ("with-an-escape", "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-%30.pem"),
        ("with-a-query", "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-0.pem?a=b"),
        ("with-a-fragment", "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-0.pem#a"),
        ("that-asks-the-api", "https://sns.us-west-2.amazonaws.com/?Action=GetEndpointAttributes&Signature=.pem"),
        ("of-a-file", "file:///etc/ssl/SimpleNotificationService-0.pem"),
        ("relative", "//sns.us-west-2.amazonaws.com/SimpleNotificationService-0.pem"),
        ("with-a-fullwidth-dot", "https://sns\uff0eus-west-2.amazonaws.com/SimpleNotificationService-0.pem"),
        ("that-is-empty", ""),
    ]:
        add(f"certificate-url-{title}", "hostile", "bad_certificate_url", {**good, "SigningCertURL": url})
    for title, url in [
        ("of-china", "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-0.pem"),
        ("of-govcloud", "https://sns.us-gov-west-1.amazonaws.com/SimpleNotificationService-0.pem"),
        ("with-port-443", "https://sns.us-west-2.amazonaws.com:443/SimpleNotificationService-0.pem"),
    ]:
        add(f"certificate-url-{title}", "valid", "valid", {**good, "SigningCertURL": url})
    add("no-certificate", "malformed", "missing_certificate", good, settings={"certificate": None})
    for title, pem in [
        ("empty", ""),
        ("that-is-none", "hello"),
        ("cut", good_certificate[:300]),
        ("of-noise", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        ("expired", certificate("sns", (2020, 2023))),
        ("of-the-future", certificate("sns", (2030, 2040))),
        ("of-a-short-key", certificate("short")),
        ("of-another-algorithm", certificate("p256-one", kind="ec")),
    ]:
        add(f"certificate-{title}", "hostile", "bad_certificate", good, settings={"certificate": pem})

    for title, version in [
        ("3", "3"),
        ("0", "0"),
        ("empty", ""),
        ("01", "01"),
        ("with-a-space", "2 "),
        ("sha256", "SHA256"),
    ]:
        add(f"version-{title}", "hostile", "bad_signature", {**good, "SignatureVersion": version})
    for title, text in [
        ("empty", ""),
        ("cut", good["Signature"][:-4]),
        ("without-padding", good["Signature"].rstrip("=")),
        ("with-a-line-end", good["Signature"] + "\n"),
        ("of-zeros", b64(bytes(256))),
        ("of-ones", b64(b"\xff" * 256)),
        ("of-1", b64(bytes(255) + b"\x01")),
        ("longer", b64(bytes(1) + _raw(good["Signature"]))),
        ("in-hexadecimal", _raw(good["Signature"]).hex()),
    ]:
        add(f"signature-{title}", "malformed", "bad_signature", {**good, "Signature": text})
    for name in (
        "Type",
        "MessageId",
        "TopicArn",
        "Message",
        "Timestamp",
        "SignatureVersion",
        "Signature",
        "SigningCertURL",
    ):
        add(
            f"no-{name}",
            "malformed",
            "body_malformed",
            {title: value for title, value in good.items() if title != name},
        )
        add(f"{name}-is-a-number", "malformed", "body_malformed", {**good, name: 2})
    add("Message-is-an-object", "malformed", "body_malformed", {**good, "Message": {"a": 1}})
    add("Subject-is-null", "malformed", "body_malformed", {**good, "Subject": None})
    for name in ("SubscribeURL", "Token"):
        add(
            f"subscription-without-{name}",
            "malformed",
            "body_malformed",
            {title: value for title, value in signed(SUBSCRIPTION).items() if title != name},
        )
    for title, kind in [("unknown", "Other"), ("in-lower-case", "notification"), ("empty", "")]:
        add(f"Type-{title}", "malformed", "body_malformed", {**good, "Type": kind})
    for title, time in [
        ("unix", "1700000000"),
        ("without-zone", "2023-11-14T22:13:20.123"),
        ("of-another-zone", "2023-11-14T22:13:20.123+01:00"),
        ("of-month-13", "2023-13-14T22:13:20.123Z"),
        ("of-february-30", "2023-02-30T22:13:20.123Z"),
        ("with-a-space", "2023-11-14 22:13:20.123Z"),
        ("in-fullwidth-digits", "\uff12023-11-14T22:13:20.123Z"),
        ("empty", ""),
    ]:
        add(f"Timestamp-{title}", "malformed", "bad_timestamp", signed(changed(Timestamp=time)))
    for title, sent in [
        ("empty", b""),
        ("no-json", b"hello"),
        ("a-list", b"[]"),
        ("cut", raw[:-1].encode()),
        ("followed-by-more", raw.encode() + b"x"),
        ("not-utf-8", raw.replace("Hello", "\u00ff").encode("latin-1")),
    ]:
        add(f"body-{title}", "malformed", "body_malformed", sent)
    add("over-the-cap", "malformed", "body_too_large", good, settings={"max_body": 100})
    return maker


def _raw(text: str) -> bytes:
    return base64.b64decode(text)
