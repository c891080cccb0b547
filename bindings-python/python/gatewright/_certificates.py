"""Fetches the certificates that AWS SNS and PayPal sign with. The native module calls ``fetch``."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatewright._client import Client

LARGEST = 64 * 1024
"""More bytes than any certificate with its chain has."""

SECONDS = 10.0
"""How long a fetch may take, its retries with it: the sender waits for its answer."""


def fetch(url: str) -> bytes:
    """The certificate at a URL whose host and path were checked: over TLS, with no redirect followed."""
    # Only here: the clients import this package whole, and most webhooks need no certificate.
    from gatewright._client import Client  # noqa: PLC0415

    origin, path = split(url)
    with Client(origin, timeout=SECONDS, max_redirects=0, max_response_bytes=LARGEST, cache=False) as client:
        return read(client, path)


def split(url: str) -> tuple[str, str]:
    """The origin and the path of an https URL."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    if scheme != "https" or not host:
        raise ValueError("a certificate comes over https")
    return f"https://{host}", slash + path


def read(client: Client, path: str) -> bytes:
    """The body of an answer with status 200, and of no other."""
    answer = client.get(path)
    if answer.status_code != 200:
        raise ValueError(f"the answer has status {answer.status_code}, and not 200")
    return answer.content
