"""Webhooks: verification and signing by eighteen schemes, usable without any client.

>>> from gatewright.webhooks import Webhook
>>> webhook = Webhook("whsec_...", scheme="stripe")  # doctest: +SKIP
>>> event = webhook.verify(body, headers).json()  # doctest: +SKIP

The adapters ``gatewright.webhooks.fastapi``, ``.starlette``, ``.flask`` and ``.django`` are imported by name.
"""

from gatewright._errors import (
    WebhookBusyError,
    WebhookError,
    WebhookEventError,
    WebhookExplanation,
    WebhookKeyError,
    WebhookVerificationError,
)
from gatewright._native import (
    Challenge,
    SignedRequest,
    Signer,
    Template,
    Verified,
    Webhook,
    WebhookVerifier,
    generate_secret,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatewright.webhooks._events import Events
    from gatewright.webhooks._once import once, once_async
    from gatewright.webhooks._replay import (
        AsyncReplayGuard,
        MemoryReplayGuard,
        RedisReplayGuard,
        ReplayGuard,
        Reservation,
        SqlReplayGuard,
    )

_LATER = {
    "AsyncReplayGuard": "_replay",
    "Events": "_events",
    "MemoryReplayGuard": "_replay",
    "RedisReplayGuard": "_replay",
    "ReplayGuard": "_replay",
    "Reservation": "_replay",
    "SqlReplayGuard": "_replay",
    "once": "_once",
    "once_async": "_once",
}
"""What is imported when it is first used, and the module it is in."""

__all__ = [
    "AsyncReplayGuard",
    "Challenge",
    "Events",
    "MemoryReplayGuard",
    "RedisReplayGuard",
    "ReplayGuard",
    "Reservation",
    "SignedRequest",
    "Signer",
    "SqlReplayGuard",
    "Template",
    "Verified",
    "Webhook",
    "WebhookBusyError",
    "WebhookError",
    "WebhookEventError",
    "WebhookExplanation",
    "WebhookKeyError",
    "WebhookVerificationError",
    "WebhookVerifier",
    "generate_secret",
    "once",
    "once_async",
]


def __getattr__(name: str) -> "Any":
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    found = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = found
    return found
