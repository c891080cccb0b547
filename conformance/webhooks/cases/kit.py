"""What the shared cases need to know of a scheme, to sign and to break its requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .making import BODY, NOW, Headers, b64

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Kit:
    """A scheme with its signature in a header."""

    scheme: str
    secrets: tuple[str, str]
    sign: Callable[[bytes, bytes, int], bytes]
    signature_header: str
    #: What stands before the encoded signature.
    prefix: str = ""
    #: `hex`, or `base64`.
    encoding: str = "hex"
    #: The name of the header with the timestamp, or None.
    time_header: str | None = None
    #: Where the timestamp stands in the list of signatures, its name there; `separator` parts the list.
    time_member: str | None = None
    #: Between the signatures of a list; None where there is only one.
    separator: str | None = None
    tolerance: int | None = None
    #: How many digits a timestamp must have, where nothing in what is signed stands behind it.
    digits: int | None = None
    #: Headers that are there as well.
    extra: Headers = field(default_factory=list)
    #: Begins the names of the cases, where a scheme has several kits.
    name: str = ""
    #: Whether forty signatures may be in a list: asymmetric ones are bounded at 8.
    cheap: bool = True
    settings: dict[str, Any] = field(default_factory=dict)
    url: str | None = None
    #: A message that the scheme is asked to sign where the case does not say which.
    body: bytes = BODY
    #: Bodies of any bytes can be signed, and every byte counts.
    any_body: bool = True

    @property
    def has_time(self) -> bool:
        """Whether the request says when it was sent."""
        return self.time_header is not None or self.time_member is not None

    def encoded(self, signature: bytes) -> str:
        """The signature as its header has it, with its prefix."""
        return self.prefix + (signature.hex() if self.encoding == "hex" else b64(signature))

    def encoded_otherwise(self) -> str:
        """The signature without prefix, in the encoding that is not the scheme's."""
        signature = self.sign(self.body, str(NOW).encode(), 0)
        return b64(signature) if self.encoding == "hex" else signature.hex()

    def token(self, body: bytes | None = None, time: bytes | None = None, which: int = 0) -> str:
        """A signature in its encoding."""
        return self.encoded(self.sign(self.body if body is None else body, time or str(NOW).encode(), which))

    def headers(self, tokens: list[str] | list[bytes], time: bytes | None = None) -> Headers:
        """All headers of a request with these signatures."""
        at = str(NOW).encode() if time is None else time
        raw = [token.encode() if isinstance(token, str) else token for token in tokens]
        if self.time_member is not None:
            raw = [self.time_member.encode() + b"=" + at, *raw]
        value = (self.separator or ",").encode().join(raw)
        found: Headers = list(self.extra)
        if self.time_header is not None:
            found.append((self.time_header, at))
        return [*found, (self.signature_header, value)]

    def signed(self, body: bytes | None = None, time: bytes | None = None, which: int = 0) -> Headers:
        """All headers of a request that was signed."""
        return self.headers([self.token(body, time, which)], time)
