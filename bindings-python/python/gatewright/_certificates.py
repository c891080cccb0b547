"""Fetches the certificates that AWS SNS and PayPal sign with. The native module calls ``fetch``."""

from __future__ import annotations

import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatewright._client import Client

LARGEST = 64 * 1024
"""More bytes than any certificate with its chain has."""

SECONDS = 10.0
"""How long a fetch may take, its retries with it: the sender waits for its answer."""

MOST_IN_A_MINUTE = 30
"""The host of a certificate was checked, but its path is the request's: whoever can reach the endpoint can ask for
many."""

_lock = threading.Lock()
_recent: list[float] = []


def fetch(url: str) -> bytes:
    """The certificate at a URL whose host and path were checked: over TLS, with no redirect followed."""
    # Only here: the clients import this package whole, and most webhooks need no certificate.
    from gatewright._client import Client  # noqa: PLC0415

    origin, path = split(url)
    admit(time.monotonic())
    with Client(origin, timeout=SECONDS, max_redirects=0, max_response_bytes=LARGEST, cache=False) as client:
        return read(client, path)


def admit(now: float) -> None:
    """Raises where this process fetched too many lately. ``now`` is of a clock that does not go back."""
    with _lock:
        _recent[:] = [at for at in _recent if at > now - 60]
        if len(_recent) >= MOST_IN_A_MINUTE:
            raise RuntimeError(f"{MOST_IN_A_MINUTE} certificates were fetched within a minute; no more for now")
        _recent.append(now)


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
