"""GitHub: `X-Hub-Signature-256: sha256=...`, HMAC-SHA256 over the body. Nothing says when it was sent.

Source: GitHub's documentation, "Validating webhook deliveries".
"""

from __future__ import annotations

from . import strict
from .verdict import Request, Settings, Verified


def verify(request: Request, settings: Settings) -> Verified:
    """The older `X-Hub-Signature` of SHA-1 is never looked at."""
    keys = strict.text_secrets(settings, shortest=1)
    value = strict.header(request, "X-Hub-Signature-256")
    strict.check_signatures(value)
    strict.check_size(request, settings)
    candidate = strict.unhex(value[7:], 32) if value.startswith(b"sha256=") else None
    index = strict.first_match(keys, [candidate], "sha256", request.body)
    return Verified("github", "hmac-sha256", index, message_id=strict.unsigned_id(request, "X-GitHub-Delivery"))
