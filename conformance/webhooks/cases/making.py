"""Makes cases: signs, writes them as JSON has them, and holds the verdict that was expected against the reference's."""

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path
from typing import Any

from reference import ed25519
from reference.schemes import play

#: When every case is received, unless it says otherwise: 2023-11-14T22:13:20Z.
NOW = 1_700_000_000
BODY = b'{"type":"contact.created","data":{"id":"ct_1","name":"Zo\xc3\xab","amount":12.50,"tags":["a","b"]}}'
KEYS = Path(__file__).parent.parent / "keys"
KINDS = ("valid", "expired", "future", "tampered", "rotated", "malformed", "hostile")

Headers = list[tuple[str, "bytes | str"]]

# Seeds and secrets of nobody: they say so themselves where their form allows it.
SEED = hashlib.sha256(b"gatewright corpus: a test key").digest()
OTHER_SEED = hashlib.sha256(b"gatewright corpus: another test key").digest()
PUBLIC, OTHER_PUBLIC = ed25519.public_of(SEED), ed25519.public_of(OTHER_SEED)


def b64(data: bytes) -> str:
    """Standard base64."""
    return base64.b64encode(data).decode()


def mac(secret: bytes, *pieces: bytes, hash_name: str = "sha256") -> bytes:
    """HMAC."""
    return hmac.new(secret, b"".join(pieces), hash_name).digest()


def key_file(name: str) -> bytes:
    """A private key of `keys/`, as PEM."""
    return (KEYS / f"test-{name}.pem").read_bytes()


class Maker:
    """Collects the cases of one scheme."""

    def __init__(self, scheme: str) -> None:
        self.scheme = scheme
        self.cases: list[dict[str, Any]] = []
        self.names: set[str] = set()

    def add(
        self,
        name: str,
        kind: str,
        verdict: str,
        *,
        secrets: list[str],
        headers: Headers,
        body: bytes = BODY,
        now: int = NOW,
        settings: dict[str, Any] | None = None,
        method: str = "POST",
        url: str | None = None,
        about: str = "",
        **proven: Any,
    ) -> None:
        """One more case. `verdict` and `proven` are what its author expects; the reference must agree."""
        case: dict[str, Any] = {"name": name, "kind": kind, "scheme": self.scheme}
        if about:
            case["about"] = about
        case["secrets"] = secrets
        if settings:
            case["settings"] = settings
        case["now"] = now
        if method != "POST":
            case["method"] = method
        if url is not None:
            case["url"] = url
        case["headers"] = [[title, _written(value)] for title, value in headers]
        case["body"] = b64(body)
        found = play(case)
        expected = {"verdict": verdict, **proven}
        differing = {key: found.get(key) for key, value in expected.items() if found.get(key) != value}
        if differing or kind not in KINDS or name in self.names:
            raise AssertionError(f"{self.scheme} {name} ({kind}): expected {expected}, the reference says {found}")
        self.names.add(name)
        case["expect"] = found
        self.cases.append(case)


def _written(value: bytes | str) -> str | dict[str, str]:
    """Text as it is, where it is printable ASCII; base64 of anything else."""
    raw = value.encode() if isinstance(value, str) else value
    if all(0x20 <= sign < 0x7F for sign in raw):
        return raw.decode()
    return {"base64": b64(raw)}
