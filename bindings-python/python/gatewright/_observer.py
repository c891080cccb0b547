"""What an observer of calls is."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from gatewright._native import AttemptEnded, AttemptStarted, CallEnded, CallStarted

    class ObservedCall(Protocol):
        """Watches one call. Attempts may overlap where a call is hedged."""

        def attempt_started(self, attempt: AttemptStarted, /) -> str | tuple[str, str] | None:
            """An attempt is about to be sent. Gives the ``traceparent`` that is to go along, with its ``tracestate``
            where there is one; ``None``: a child of the call's own trace context, where it was given one.
            """
            ...

        def attempt_ended(self, attempt: AttemptEnded, /) -> None:
            """An attempt is over."""
            ...

        def ended(self, call: CallEnded, /) -> None:
            """The call is over. Said once, whatever becomes of it."""
            ...

    class Observer(Protocol):
        """Watches the calls of a client. It is told of them on the thread that drives the call (with ``AsyncClient``
        that is not the event loop's), so it must be quick; what it raises goes to ``sys.unraisablehook``.
        """

        def call_started(self, call: CallStarted, /) -> ObservedCall | None:
            """A call begins; this runs in its ``contextvars`` context. ``None``: this call is not watched."""
            ...
