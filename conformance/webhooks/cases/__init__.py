"""What the corpus is made of: the cases that all schemes share, and those of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import asymmetric, custom, http_signature, mailgun, paypal, sns, standard, text_hmac, twilio

if TYPE_CHECKING:
    from .making import Maker


def all_makers() -> list[Maker]:
    """The cases of every scheme."""
    return [
        standard.standard(),
        standard.svix(),
        text_hmac.stripe(),
        text_hmac.paddle(),
        text_hmac.github(),
        text_hmac.slack(),
        text_hmac.zoom(),
        text_hmac.shopify(),
        text_hmac.square(),
        text_hmac.linear(),
        twilio.twilio(),
        asymmetric.discord(),
        asymmetric.sendgrid(),
        mailgun.mailgun(),
        sns.sns(),
        paypal.paypal(),
        http_signature.http_signature(),
        custom.custom(),
    ]
