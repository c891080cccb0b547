"""Webhooks in Flask.

>>> from gatewright.webhooks.flask import receive  # doctest: +SKIP
>>> @app.post("/hooks/stripe")  # doctest: +SKIP
... @receive(Webhook(secret, scheme="stripe"))
... def stripe(verified): ...
"""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING

from flask import Response, current_app, make_response, request
from werkzeug.exceptions import RequestEntityTooLarge

from gatewright.webhooks._receiver import Answer, Incoming, Receiver

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gatewright._native import Challenge, Verified, Webhook
    from gatewright.webhooks._replay import ReplayGuard

__all__ = ["receive"]


def receive(
    webhook: Webhook,
    *,
    guard: ReplayGuard | None = None,
    sender: str | None = None,
    message_id: Callable[[Verified], str | None] | None = None,
    explain: bool = True,
    on_challenge: Callable[[Challenge], object] | None = None,
    clock: Callable[[], float] = time.time,
) -> Callable[[Callable[..., Any]], Callable[..., Response]]:
    """A view that is called with what was verified, and with what the URL has; ``verified.body`` has the body.

    Put it below ``@app.post(...)``. A request that does not verify gets 400 (Discord 401) and says no more; the reason
    is in the log ``gatewright.webhooks``. Challenges are answered. A body above the webhook's ``max_body`` gets 413.

    :param webhook: How the sender signs.
    :param guard: Handles each message once: a message that was handled gets 200, one in work 503. A view that raises,
        or answers with 400 or more, releases its message.
    :param sender: Your own name of the sender, for the guard; by default the scheme.
    :param message_id: Gives the id in the verified body, for the guard, where the sender signs none and signs each
        retry anew: ``lambda verified: verified.json()["id"]`` for Stripe.
    :param explain: Whether the log has the cause that ``explain`` finds, at most once a second.
    :param on_challenge: Called with a challenge before it is answered, for example to visit ``challenge.visit``.
    :param clock: Gives unix seconds.
    """
    receiver = Receiver(
        webhook,
        guard=guard,
        sender=sender,
        message_id=message_id,
        explain=explain,
        on_challenge=on_challenge,
        clock=clock,
    )

    def decorate(view: Callable[..., Any]) -> Callable[..., Response]:
        @functools.wraps(view)
        def answer(**values: Any) -> Response:
            body = _body(receiver)
            if body is None:
                return _response(receiver.refuse_too_large())

            def handle(verified: Verified) -> Response:
                # An asynchronous view is run as Flask itself would.
                return make_response(current_app.ensure_sync(view)(verified, **values))

            incoming = Incoming(body, request.headers, _url(), request.method)
            given = receiver.run(incoming, handle, _status)
            return _response(given) if isinstance(given, Answer) else given

        return answer

    return decorate


def _body(receiver: Receiver) -> bytes | None:
    """The raw body; ``None`` where it is above the cap."""
    if receiver.too_large(request.content_length):
        return None
    # What comes in chunks declares no length: Werkzeug stops reading there.
    request.max_content_length = receiver.webhook.max_body
    try:
        return request.get_data()
    except RequestEntityTooLarge:
        return None


def _url() -> str:
    """The URL as it came, where the server says so: Werkzeug's own has its path decoded."""
    raw: str | None = request.environ.get("REQUEST_URI") or request.environ.get("RAW_URI")
    if raw is None or not raw.startswith("/"):
        return request.url
    return f"{request.scheme}://{request.host}{raw}"


def _status(given: Response) -> int:
    return given.status_code


def _response(answer: Answer) -> Response:
    return Response(answer.body, answer.status, content_type=answer.content_type)
