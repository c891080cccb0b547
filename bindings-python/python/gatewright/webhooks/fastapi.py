"""Webhooks in FastAPI.

>>> from gatewright.webhooks.fastapi import receive  # doctest: +SKIP
>>> @app.post("/hooks/stripe")  # doctest: +SKIP
... @receive(Webhook(secret, scheme="stripe"))
... async def stripe(verified: Verified) -> None: ...
"""

from __future__ import annotations

import inspect
import time
from typing import TYPE_CHECKING, get_type_hints

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from gatewright._native import Verified
from gatewright.webhooks._receiver import Receiver
from gatewright.webhooks.starlette import received

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from gatewright._native import Challenge, Webhook
    from gatewright.webhooks._replay import AsyncReplayGuard, ReplayGuard

__all__ = ["receive"]

_REQUEST = "gatewright_request"


def receive(
    webhook: Webhook,
    *,
    guard: ReplayGuard | AsyncReplayGuard | None = None,
    sender: str | None = None,
    message_id: Callable[[Verified], str | None] | None = None,
    explain: bool = True,
    on_challenge: Callable[[Challenge], object] | None = None,
    clock: Callable[[], float] = time.time,
) -> Callable[[Callable[..., Any]], Callable[..., Awaitable[Any]]]:
    """A path operation that is called with what was verified, in its parameter of the type ``Verified``, and with
    whatever else FastAPI gives it: dependencies, path and query parameters, but no body, which is in ``verified.body``.

    Put it below ``@app.post(...)``. A request that does not verify gets 400 (Discord 401) and says no more; the reason
    is in the log ``gatewright.webhooks``. Challenges are answered. A body above the webhook's ``max_body`` gets 413.

    :param webhook: How the sender signs.
    :param guard: Handles each message once: a message that was handled gets 200, one in work 503. A handler that
        raises, or gives a response with 400 or more, releases its message.
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

    def decorate(operation: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
        name, signature = _without_verified(operation)

        async def answer(**values: Any) -> Any:
            request: Request = values.pop(_REQUEST)

            async def handle(verified: Verified) -> Any:
                if inspect.iscoroutinefunction(operation):
                    return await operation(**values, **{name: verified})
                return await run_in_threadpool(operation, **values, **{name: verified})

            return await received(receiver, request, handle)

        # Not by functools.wraps: FastAPI would look through to the operation, and miss that this one is a coroutine.
        answer.__name__ = operation.__name__
        answer.__qualname__ = operation.__qualname__
        answer.__doc__ = operation.__doc__
        answer.__module__ = operation.__module__
        answer.__dict__["__signature__"] = signature
        return answer

    return decorate


def _without_verified(operation: Callable[..., Any]) -> tuple[str, inspect.Signature]:
    """The name of the parameter for what was verified, and the signature for FastAPI: the request in its place."""
    hints = get_type_hints(operation, include_extras=True)
    signature = inspect.signature(operation)
    names = [name for name, hint in hints.items() if hint is Verified and name != "return"]
    if len(names) != 1:
        raise TypeError(f"{operation.__name__} needs one parameter of the type gatewright.webhooks.Verified")
    parameters = [
        parameter.replace(annotation=hints.get(name, parameter.annotation), kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in signature.parameters.items()
        if name != names[0]
    ]
    parameters.append(inspect.Parameter(_REQUEST, inspect.Parameter.KEYWORD_ONLY, annotation=Request))
    returned = hints.get("return", signature.return_annotation)
    return names[0], inspect.Signature(parameters, return_annotation=returned)
