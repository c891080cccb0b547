"""Webhooks in Starlette.

>>> from gatewright.webhooks.starlette import receive  # doctest: +SKIP
>>> @receive(Webhook(secret, scheme="stripe"))  # doctest: +SKIP
... async def stripe(request, verified):
...     return Response(status_code=204)
"""

from __future__ import annotations

import functools
import inspect
import time
from typing import TYPE_CHECKING, cast

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from gatewright.webhooks._receiver import Answer, Incoming, Receiver

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

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
) -> Callable[
    [Callable[[Request, Verified], Response | Awaitable[Response]]], Callable[[Request], Awaitable[Response]]
]:
    """An endpoint that is called with the request and what was verified; ``verified.body`` has the body.

    A request that does not verify gets 400 (Discord 401) and says no more; the reason is in the log
    ``gatewright.webhooks``. Challenges are answered. A body above the webhook's ``max_body`` gets 413.

    :param webhook: How the sender signs.
    :param guard: Handles each message once: a message that was handled gets 200, one in work 503. A handler that
        raises, or answers with 400 or more, releases its message.
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

    def decorate(
        endpoint: Callable[[Request, Verified], Response | Awaitable[Response]],
    ) -> Callable[[Request], Awaitable[Response]]:
        @functools.wraps(endpoint)
        async def answer(request: Request) -> Response:
            async def handle(verified: Verified) -> Response:
                if inspect.iscoroutinefunction(endpoint):
                    return cast("Response", await endpoint(request, verified))
                given = await run_in_threadpool(cast("Callable[..., Response]", endpoint), request, verified)
                # What only looked synchronous, such as a partial of a coroutine function.
                return cast("Response", await given) if inspect.isawaitable(given) else given

            return cast("Response", await received(receiver, request, handle))

        return answer

    return decorate


async def received(receiver: Receiver, request: Request, handle: Callable[[Verified], Awaitable[object]]) -> object:
    """Reads and receives a request; what the handler gives, or a response."""
    body = await _body(receiver, request)
    if body is None:
        return _response(receiver.refuse_too_large())
    incoming = Incoming(body, request.headers, _url(request), request.method)
    given = await receiver.run_async(incoming, handle, _status)
    return _response(given) if isinstance(given, Answer) else given


async def _body(receiver: Receiver, request: Request) -> bytes | None:
    """The raw body; ``None`` where it is above the cap."""
    if receiver.too_large(request.headers.get("content-length")):
        return None
    pieces: list[bytes] = []
    room = receiver.webhook.max_body
    async for piece in request.stream():
        room -= len(piece)
        if room < 0:
            return None
        pieces.append(piece)
    return b"".join(pieces)


def _url(request: Request) -> str:
    """The URL as it came: Starlette's own has its path decoded."""
    scope = request.scope
    raw: bytes | None = scope.get("raw_path")
    if raw is None:
        return str(request.url)
    path = raw.partition(b"?")[0].decode("latin-1")
    query: bytes = scope.get("query_string", b"")
    return f"{request.url.scheme}://{request.url.netloc}{path}" + (f"?{query.decode('latin-1')}" if query else "")


def _status(given: object) -> int:
    return given.status_code if isinstance(given, Response) else 200


def _response(answer: Answer) -> Response:
    headers = {"content-type": answer.content_type} if answer.body else None
    return Response(answer.body, answer.status, headers)
