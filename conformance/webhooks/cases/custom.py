"""Templates, for providers that no preset is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reference import ed25519

from .families import Families
from .kit import Kit
from .making import BODY, NOW, OTHER_PUBLIC, OTHER_SEED, PUBLIC, SEED, Headers, Maker, b64, mac

if TYPE_CHECKING:
    from collections.abc import Callable

SECRETS = ("a test secret of the corpus", "another test secret of the corpus")
URL = "https://hooks.example.com/custom"


def kit(name: str, template: dict[str, Any], sign: Callable[[bytes, bytes, int], bytes], **more: Any) -> Kit:
    """A kit for a template."""
    more.setdefault("secrets", SECRETS)
    has_time = "timestamp_header" in template or "timestamp_item" in template
    return Kit(
        "custom",
        more.pop("secrets"),
        sign,
        template["signature_header"],
        prefix=template.get("prefix", ""),
        encoding=template["encoding"],
        time_header=template.get("timestamp_header"),
        time_member=template.get("timestamp_item", "").removesuffix("=") or None,
        separator=template.get("separator"),
        tolerance=300 if has_time else None,
        name=name,
        settings={"template": template},
        **more,
    )


def hmac_with(hash_name: str, join: Callable[[bytes, bytes], bytes]) -> Callable[[bytes, bytes, int], bytes]:
    """A signature of a text made of body and time."""
    return lambda body, time, which: mac(SECRETS[which].encode(), join(body, time), hash_name=hash_name)


def custom() -> Maker:
    """Several templates, each through all families, and what only templates have."""
    maker = Maker("custom")
    in_header = {
        "signature_header": "X-Acme-Signature",
        "timestamp_header": "X-Acme-Timestamp",
        "signed": "{timestamp}.{body}",
        "algorithm": "hmac-sha256",
        "encoding": "hex",
        "prefix": "v1=",
        "separator": ",",
    }
    Families(
        maker, kit("in-header", in_header, hmac_with("sha256", lambda body, time: time + b"." + body))
    ).everything()
    in_list = {
        "signature_header": "X-Acme-Signature",
        "timestamp_item": "t=",
        "signed": "{timestamp}:{body}",
        "algorithm": "hmac-sha512",
        "encoding": "base64",
        "prefix": "s=",
        "separator": ",",
    }
    Families(maker, kit("in-list", in_list, hmac_with("sha512", lambda body, time: time + b":" + body))).everything()
    bare = {"signature_header": "X-Acme-Signature", "signed": "{body}", "algorithm": "hmac-sha1", "encoding": "hex"}
    Families(maker, kit("bare", bare, hmac_with("sha1", lambda body, _time: body))).everything()
    keyed = {
        "signature_header": "X-Acme-Signature",
        "timestamp_header": "X-Acme-Timestamp",
        "signed": "{timestamp}|{body}",
        "algorithm": "ed25519",
        "encoding": "base64",
        "secret_encoding": "base64",
    }
    sign = lambda body, time, which: ed25519.sign((SEED, OTHER_SEED)[which], time + b"|" + body)  # noqa: E731
    Families(maker, kit("ed25519", keyed, sign, secrets=(b64(PUBLIC), b64(OTHER_PUBLIC)))).everything()
    pieces(maker)
    return maker


def pieces(maker: Maker) -> None:
    """What may be signed, and how secrets are written."""
    key = SECRETS[0].encode()

    def add(
        name: str,
        verdict: str,
        template: dict[str, Any],
        signed: bytes,
        headers: Headers,
        kind: str = "valid",
        **more: Any,
    ) -> None:
        chosen = {"signature_header": "X-Signature", "algorithm": "hmac-sha256", "encoding": "hex", **template}
        used = more.pop("key", key)
        more.setdefault("secrets", [SECRETS[0]])
        given: Headers = [*headers, ("X-Signature", mac(used, signed).hex())]
        settings = {"template": chosen, **more.pop("settings", {})}
        maker.add(name, kind, verdict, headers=given, settings=settings, **more)

    identified = {"id_header": "X-Id", "signed": "{id}.{timestamp}.{body}", "timestamp_header": "X-Time"}
    both: Headers = [("X-Id", "evt_1"), ("X-Time", str(NOW))]
    full = f"evt_1.{NOW}.".encode() + BODY
    add("id-timestamp-body", "valid", identified, full, both, message_id="evt_1", id_signed=True, timestamp_signed=True)
    add("id-changed", "bad_signature", identified, full, [("X-Id", "evt_2"), both[1]], "tampered")
    add("id-missing", "missing_header", identified, full, both[1:], "malformed")
    add("id-twice", "repeated_header", identified, full, [*both, both[0]], "hostile")
    unsigned = {"id_header": "X-Id", "signed": "{timestamp}.{body}", "timestamp_header": "X-Time"}
    add("id-not-signed", "valid", unsigned, f"{NOW}.".encode() + BODY, both, id_signed=False, message_id="evt_1")
    late = {"id_header": "X-Id", "signed": "{id}.{body}", "timestamp_header": "X-Time"}
    add("timestamp-not-signed", "valid", late, b"evt_1." + BODY, both, "hostile", timestamp_signed=False, timestamp=NOW)
    with_url = {"signed": "{url}{body}"}
    add("url-and-body", "valid", with_url, URL.encode() + BODY, [], url=URL, url_bound=True)
    add("url-changed", "bad_signature", with_url, URL.encode() + BODY, [], "tampered", url=URL + "/")
    add("url-missing", "missing_url", with_url, URL.encode() + BODY, [], "malformed")
    add("url-set-up", "valid", with_url, URL.encode() + BODY, [], settings={"url": URL})
    texts = {"signed": "acme v2\n{body}\nend"}
    add("texts-around-the-body", "valid", texts, b"acme v2\n" + BODY + b"\nend", [])
    add(
        "body-first",
        "valid",
        {"signed": "{body}.{timestamp}", "timestamp_header": "X-Time"},
        BODY + f".{NOW}".encode(),
        both,
    )
    add(
        "body-not-signed",
        "valid",
        {"signed": "{timestamp}", "timestamp_header": "X-Time"},
        str(NOW).encode(),
        both,
        "hostile",
        body_bound="none",
    )
    raw = bytes(range(40, 72))
    add(
        "secret-in-base64",
        "valid",
        {"signed": "{body}", "secret_encoding": "base64"},
        BODY,
        [],
        secrets=[b64(raw)],
        key=raw,
    )
    add(
        "secret-in-hexadecimal",
        "valid",
        {"signed": "{body}", "secret_encoding": "hex"},
        BODY,
        [],
        secrets=[raw.hex()],
        key=raw,
    )
    add(
        "secret-no-base64",
        "key_error",
        {"signed": "{body}", "secret_encoding": "base64"},
        BODY,
        [],
        "malformed",
        secrets=["!!"],
    )
    add(
        "secret-no-hexadecimal",
        "key_error",
        {"signed": "{body}", "secret_encoding": "hex"},
        BODY,
        [],
        "malformed",
        secrets=["xyz"],
    )
    add(
        "public-key-as-secret",
        "key_error",
        {"signed": "{body}"},
        BODY,
        [],
        "hostile",
        secrets=["whpk_" + b64(bytes(32))],
    )
