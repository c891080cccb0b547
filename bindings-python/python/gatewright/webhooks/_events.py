"""A handler for each type of event, with a type of the user's own for its payload."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast, get_type_hints, overload

from gatewright._errors import WebhookEventError
from gatewright.webhooks._models import MismatchError, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gatewright._native import Verified

    Handler = Callable[[Any, Verified], object]
    HeaderFields = Mapping[str, Any] | Iterable[tuple[str | bytes, str | bytes]]

_H = TypeVar("_H", bound="Handler")


class Events:
    """Handlers by type of event.

    >>> @dataclass  # doctest: +SKIP
    ... class User:
    ...     id: str
    >>> events = Events(payload_in="data")  # {"type": "user.created", "data": {"id": "u_1"}}
    >>> @events.on("user.created")  # doctest: +SKIP
    ... def created(user: User, verified: Verified) -> None: ...
    >>> events.dispatch(verified)  # doctest: +SKIP
    """

    def __init__(self, *, type_in: str = "type", type_header: str | None = None, payload_in: str = "") -> None:
        """
        :param type_in: The member of the JSON body with the event's type, with dots on the way: ``event.type`` for
            Slack.
        :param type_header: Or the header with it: ``x-github-event``, ``x-shopify-topic``. No scheme signs these:
            whoever has a recorded delivery can name another. Let each handler's model be one that only its own
            events fit.
        :param payload_in: The member for the handler: ``data`` for Standard Webhooks, ``data.object`` for Stripe; by
            default the whole body.
        """
        self._type_in = type_in
        self._type_header = type_header
        self._payload_in = payload_in
        self._handlers: dict[str, _Registered] = {}

    @overload
    def on(self, kind: str, handler: _H, *, model: object = ...) -> _H: ...
    @overload
    def on(self, kind: str, handler: None = None, *, model: object = ...) -> Callable[[_H], _H]: ...
    def on(self, kind: str, handler: _H | None = None, *, model: object = ...) -> _H | Callable[[_H], _H]:
        """Handles events of a type, as a function or a decorator. One handler for each type: the last one given.

        :param kind: The event's type; ``*`` for those without a handler.
        :param handler: Called with the payload and what was verified; it may be asynchronous, for ``dispatch_async``.
        :param model: What the payload is read as: a dataclass, a TypedDict, a pydantic model, ``list[...]`` and the
            like of these, or a function of the decoded JSON. By default what the handler says of its first parameter.
        """

        def register(given: _H) -> _H:
            self._handlers[kind] = _Registered(given, _model_of(given) if model is ... else model)
            return given

        return register if handler is None else register(handler)

    def dispatch(self, verified: Verified, headers: HeaderFields | None = None) -> bool:
        """Calls the handler of an event; false where it has none. Raises :class:`WebhookEventError` for an event
        that does not say its type, or whose payload is not of its handler's model.

        :param headers: Those of the request, for ``type_header``.
        """
        found = self._find(verified, headers)
        if found is None:
            return False
        handler, payload = found
        given = handler(payload, verified)
        if inspect.iscoroutine(given):
            given.close()
            raise TypeError("this handler is asynchronous: await dispatch_async()")
        return True

    async def dispatch_async(self, verified: Verified, headers: HeaderFields | None = None) -> bool:
        """As :meth:`dispatch`, for handlers of both kinds."""
        found = self._find(verified, headers)
        if found is None:
            return False
        handler, payload = found
        given = handler(payload, verified)
        if inspect.isawaitable(given):
            await given
        return True

    def _find(self, verified: Verified, headers: HeaderFields | None) -> tuple[Handler, Any] | None:
        try:
            event = verified.json()
        except ValueError as error:
            raise WebhookEventError("body_malformed", str(error)) from None
        if self._type_header is None:
            kind = _member(event, self._type_in)
            where = f"the member {self._type_in}"
        else:
            kind = _header(headers, self._type_header)
            where = f"the header {self._type_header}"
        if not isinstance(kind, str):
            raise WebhookEventError("no_type", f"the event does not say its type: {where} is no text")
        registered = self._handlers.get(kind) or self._handlers.get("*")
        if registered is None:
            return None
        payload = _member(event, self._payload_in)
        if payload is _MISSING:
            raise WebhookEventError("bad_payload", f"event {kind}: it has no member {self._payload_in}")
        try:
            return registered.handler, read(registered.model, payload)
        except (MismatchError, ValueError) as why:
            raise WebhookEventError("bad_payload", f"event {kind}: {why}") from why


class _Registered(NamedTuple):
    handler: Handler
    model: Any


_MISSING = object()


def _member(event: Any, path: str) -> Any:
    for name in path.split(".") if path else ():
        members = cast("dict[str, Any]", event)
        if not isinstance(event, dict) or name not in members:
            return _MISSING
        event = members[name]
    return event


def _header(headers: HeaderFields | None, wanted: str) -> str | None:
    """The one value of a header."""
    if headers is None:
        raise TypeError("the event's type is in a header: hand the headers in")
    items = cast("Callable[[], Any] | None", getattr(headers, "items", None))
    pairs = cast("Iterable[tuple[str | bytes, str | bytes]]", headers if items is None else items())
    found = [value for name, value in pairs if _text(name).lower() == wanted.lower()]
    return _text(found[0]) if len(found) == 1 else None


def _text(given: str | bytes) -> str:
    return given.decode("latin-1") if isinstance(given, bytes) else given


def _model_of(handler: Handler) -> Any:
    """What a handler says of its first parameter."""
    parameters = list(inspect.signature(handler).parameters)
    try:
        hints = get_type_hints(handler, include_extras=True)
    except NameError as error:
        raise TypeError(f"the type of the handler's payload cannot be seen from here ({error}): give model=") from None
    return hints.get(parameters[0], Any) if parameters else Any
