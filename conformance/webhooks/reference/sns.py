"""AWS SNS: RSA over some members of the JSON body, under the certificate that `SigningCertURL` names.

Source: AWS's documentation, "Verifying the signatures of Amazon SNS messages".
"""

from __future__ import annotations

import re

from cryptography.hazmat.primitives import hashes

from . import certificates, json_body, strict
from .verdict import BadSecret, Refused, Request, Settings, Verified

HOST = re.compile(r"sns\.[a-zA-Z0-9-]{3,}\.amazonaws\.com(\.cn)?")
# The API of SNS answers on the same host, so the file counts as much.
FILE = re.compile(r"/SimpleNotificationService(-[a-zA-Z0-9]{1,255})?\.pem")
NOTIFICATION = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
SUBSCRIPTION = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
UNSIGNED = ["Signature", "SignatureVersion", "SigningCertURL"]
SIGNED = {
    "Notification": NOTIFICATION,
    "SubscriptionConfirmation": SUBSCRIPTION,
    "UnsubscribeConfirmation": SUBSCRIPTION,
}
ALGORITHMS: dict[str, tuple[str, hashes.HashAlgorithm]] = {
    "1": ("rsa-sha1", hashes.SHA1()),
    "2": ("rsa-sha256", hashes.SHA256()),
}


def verify(request: Request, settings: Settings) -> Verified:
    """Only these members are signed: not `MessageAttributes`, and not `UnsubscribeURL`."""
    topic = settings.text("topic_arn")
    if not topic:
        raise BadSecret("without its topic, everybody's messages would do")
    strict.check_size(request, settings)
    members = json_body.parse(request.body).once(*NOTIFICATION, *SUBSCRIPTION, *UNSIGNED)
    names = SIGNED.get(json_body.text(members, "Type"))
    if names is None:
        raise Refused("body_malformed")
    lines = []
    for name in names:
        if name == "Subject" and name not in members:
            continue
        value = json_body.text(members, name)
        if name != "Message" and any(ord(sign) < 0x20 or sign == "\x7f" for sign in value):
            raise Refused("body_malformed")
        lines.append(f"{name}\n{value}\n")
    version = json_body.text(members, "SignatureVersion")
    signature = strict.unbase64(json_body.text(members, "Signature").encode())
    at = certificates.utc(members["Timestamp"])
    strict.check_time(at, settings, None)
    if members["TopicArn"] != topic:
        raise Refused("wrong_topic")
    certificates.check_url(
        json_body.text(members, "SigningCertURL"),
        lambda host: HOST.fullmatch(host) is not None,
        lambda path: FILE.fullmatch(path) is not None,
    )
    key = certificates.key_of(settings)
    if version not in ALGORITHMS or signature is None:
        raise Refused("bad_signature")
    name, algorithm = ALGORITHMS[version]
    if not certificates.rsa_fits(key, signature, "".join(lines).encode(), algorithm):
        raise Refused("bad_signature")
    message_id = members["MessageId"]
    return Verified("sns", name, 0, at, message_id, "fields", timestamp_signed=True, id_signed=True)
