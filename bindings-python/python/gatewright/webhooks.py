"""Webhooks: verification and signing by Standard Webhooks, usable without any client.

>>> from gatewright.webhooks import Webhook
>>> webhook = Webhook("whsec_...")  # doctest: +SKIP
>>> event = webhook.verify(body, headers).json()  # doctest: +SKIP
"""

from gatewright._errors import WebhookError, WebhookKeyError, WebhookVerificationError
from gatewright._native import Verified, Webhook, generate_secret

__all__ = [
    "Verified",
    "Webhook",
    "WebhookError",
    "WebhookKeyError",
    "WebhookVerificationError",
    "generate_secret",
]
