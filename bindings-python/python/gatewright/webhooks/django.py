"""Webhooks in Django.

>>> from gatewright.webhooks.django import receive  # doctest: +SKIP
>>> @receive(Webhook(secret, scheme="stripe"))  # doctest: +SKIP
... def stripe(request, verified):
...     return HttpResponse(status=204)
"""

from __future__ import annotations

import functools
import inspect
import time
from typing import TYPE_CHECKING

from django.http import HttpResponse

from gatewright.webhooks._receiver import Answer, Incoming, Receiver

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from django.http import HttpRequest

    from gatewright._native import Challenge, Verified, Webhook
    from gatewright.webhooks._replay import AsyncReplayGuard, ReplayGuard

__all__ = ["receive"]


def receive(
    webhook: Webhook,
    *,
    guard: ReplayGuard | AsyncReplayGuard | None = None,
    sender: str | None = None,
    message_id: Callable[[Verified], str | None] | None = None,
    explain: bool = True,
    on_challenge: Callable[[Challenge], object] | None = None,
    clock: Callable[[], float] = time.time,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A view that is called with the request, what was verified, and what the URL has; ``verified.body`` has the body.

    The view may be asynchronous. It is exempt from CSRF checks: the signature says who sends. A request that does not
    verify gets 400 (Discord 401) and says no more; the reason is in the log ``gatewright.webhooks``. Challenges are
    answered. A body above the webhook's ``max_body`` gets 413; ``DATA_UPLOAD_MAX_MEMORY_SIZE`` does not count.

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

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.iscoroutinefunction(view):

            @functools.wraps(view)
            async def answer_async(request: HttpRequest, *positional: Any, **values: Any) -> HttpResponse:
                incoming = _incoming(receiver, request)
                if incoming is None:
                    return _response(receiver.refuse_too_large())

                async def handle(verified: Verified) -> Any:
                    return await view(request, verified, *positional, **values)

                given = await receiver.run_async(incoming, handle, _status)
                return _response(given) if isinstance(given, Answer) else given

            return _exempt(answer_async)

        @functools.wraps(view)
        def answer(request: HttpRequest, *positional: Any, **values: Any) -> HttpResponse:
            incoming = _incoming(receiver, request)
            if incoming is None:
                return _response(receiver.refuse_too_large())

            def handle(verified: Verified) -> Any:
                return view(request, verified, *positional, **values)

            given = receiver.run(incoming, handle, _status)
            return _response(given) if isinstance(given, Answer) else given

        return _exempt(answer)

    return decorate


def _exempt(view: Callable[..., Any]) -> Callable[..., Any]:
    """What Django's own ``csrf_exempt`` does."""
    view.__dict__["csrf_exempt"] = True
    return view


def _incoming(receiver: Receiver, request: HttpRequest) -> Incoming | None:
    """The request with its raw body; ``None`` where that is above the cap."""
    most = receiver.webhook.max_body
    if receiver.too_large(request.META.get("CONTENT_LENGTH") or None):
        return None
    # Not `request.body`, which has a cap of its own; where a middleware read that, this reads it again.
    body: bytes = request.read(most + 1)
    if len(body) > most:
        return None
    method: str = request.method or "POST"
    return Incoming(body, request.META, request.build_absolute_uri(), method)


def _status(given: Any) -> int:
    status: int = getattr(given, "status_code", 200)
    return status


def _response(answer: Answer) -> HttpResponse:
    return HttpResponse(answer.body, status=answer.status, content_type=answer.content_type)
