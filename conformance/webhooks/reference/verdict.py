"""What a verification ends with, and what it is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

#: The largest body that is accepted unless the settings say otherwise.
MAX_BODY = 1024 * 1024


class Refused(Exception):  # noqa: N818 - a verdict, not a fault
    """The request is no webhook to be trusted. `code` is that of `VerifyError::code`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class BadSecret(Exception):  # noqa: N818 - likewise
    """A secret or a setting with which nothing can be verified, found before any request comes."""


@dataclass(frozen=True)
class Request:
    """What was received. Names and values of headers are bytes, `url` is what the caller says it was."""

    headers: list[tuple[bytes, bytes]]
    body: bytes
    method: str = "POST"
    url: str | None = None


@dataclass(frozen=True)
class Settings:
    """How the receiver is set up. `tolerance` of None is the scheme's own."""

    secrets: list[str]
    now: int
    tolerance: int | None = None
    max_body: int = MAX_BODY
    others: dict[str, Any] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """A setting that is text, such as `url`."""
        value = self.others.get(name)
        return value if isinstance(value, str) else None


@dataclass(frozen=True)
class Verified:
    """What was proven."""

    scheme: str
    algorithm: str
    key_index: int
    timestamp: int | None = None
    message_id: str | None = None
    body_bound: str = "full"
    timestamp_signed: bool = False
    id_signed: bool = False
    url_bound: bool = False
