"""Spans and metrics of calls for OpenTelemetry, by the semantic conventions for HTTP clients (1.37).

The package ``opentelemetry-api`` is imported when an :class:`OpenTelemetry` is made, and not before. Names, labels and
kinds are those of the Rust SDK's feature ``opentelemetry``.
"""

from __future__ import annotations

from gatewright._native import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from opentelemetry.context import Context
    from opentelemetry.metrics import Counter, Histogram, Meter, MeterProvider
    from opentelemetry.trace import Span, Tracer, TracerProvider

    from gatewright._native import AttemptEnded, AttemptStarted, CallEnded, CallStarted, Place

    Labels = dict[str, str | int]

_SCHEMA = "https://opentelemetry.io/schemas/1.37.0"
# What the conventions ask of http.client.request.duration.
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE"})
_PHASES = {"closed": 0, "half_open": 1, "open": 2}


class OpenTelemetry:
    """An observer that makes spans and metrics with OpenTelemetry, and sends the trace context along.

    Give it to a client as ``observer=``; one may serve several clients. A call is a child of the span that is current
    where the call is made, or of the ``traceparent`` that it is given; each attempt is a child of the call, and carries
    its own ``traceparent``.
    """

    def __init__(
        self,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        *,
        spans: bool = True,
        metrics: bool = True,
    ) -> None:
        """
        :param tracer_provider: Where spans go; by default the global one.
        :param meter_provider: Where metrics go; by default the global one.
        :param spans: Whether spans are made. Without them attempts carry the trace context of the current span.
        :param metrics: Whether metrics are made.

        Raises ``ImportError`` where ``opentelemetry-api`` is not installed.
        """
        try:
            from opentelemetry import metrics as metrics_api  # noqa: PLC0415 - optional
            from opentelemetry import trace  # noqa: PLC0415 - optional
        except ImportError as missing:
            raise ImportError(
                "OpenTelemetry() wants the package opentelemetry-api, which is not installed", name="opentelemetry"
            ) from missing
        self._tracer: Tracer | None = None
        if spans:
            self._tracer = trace.get_tracer("gatewright", __version__, tracer_provider, _SCHEMA)
        self._instruments: _Instruments | None = None
        if metrics:
            meter = metrics_api.get_meter("gatewright", __version__, meter_provider, _SCHEMA)
            self._instruments = _Instruments(meter)

    def call_started(self, call: CallStarted) -> _Call:
        """A call begins."""
        return _Call(self._tracer, self._instruments, call)


class _Instruments:
    """The metrics of calls."""

    def __init__(self, meter: Meter) -> None:
        def seconds(name: str, what: str) -> Histogram:
            return meter.create_histogram(name, "s", what, explicit_bucket_boundaries_advisory=_SECONDS)

        self.request_duration: Histogram = seconds("http.client.request.duration", "Duration of HTTP client requests.")
        self.call_duration: Histogram = seconds(
            "gatewright.client.call.duration", "Duration of calls, with all attempts and waits."
        )
        self.held_back: Histogram = seconds(
            "gatewright.client.held_back", "How long calls were held back for a quota, a place or a token."
        )
        self.retries: Counter = meter.create_counter(
            "gatewright.client.retries", "{retry}", "Attempts after the first of a call."
        )
        self.budget: Any = meter.create_gauge(
            "gatewright.client.retry_budget", "{token}", "What is left of the retry budget."
        )
        self.breaker: Any = meter.create_gauge(
            "gatewright.client.breaker", "1", "The circuit breaker: 0 closed, 1 half open, 2 open."
        )


class _Call:
    """Watches one call."""

    def __init__(self, tracer: Tracer | None, instruments: _Instruments | None, call: CallStarted) -> None:
        self._tracer = tracer
        self._instruments = instruments
        self._parent = _parent(call)
        self._span: Span | None = None
        self._context = self._parent
        self._attempts: dict[int, Span] = {}
        if tracer is not None:
            from opentelemetry.trace import SpanKind, set_span_in_context  # noqa: PLC0415 - optional

            self._span = tracer.start_span(
                f"gatewright {_name(call.place)}",
                self._parent,
                SpanKind.INTERNAL,
                _attributes(call.place, with_url=True),
            )
            self._context = set_span_in_context(self._span, self._parent)

    def attempt_started(self, attempt: AttemptStarted) -> tuple[str, str] | None:
        from opentelemetry.trace import SpanKind, get_current_span  # noqa: PLC0415 - optional

        if self._tracer is None:
            return _written(get_current_span(self._parent))
        attributes = _attributes(attempt.place, with_url=True)
        if attempt.number > 1:
            attributes["http.request.resend_count"] = attempt.number - 1
        span = self._tracer.start_span(_name(attempt.place), self._context, SpanKind.CLIENT, attributes)
        self._attempts[attempt.number] = span
        return _written(span)

    def attempt_ended(self, attempt: AttemptEnded) -> None:
        outcome = _outcome(attempt.status_code, attempt.error)
        span = self._attempts.pop(attempt.number, None)
        if span is not None:
            span.set_attributes(outcome)
            _conclude(span, attempt.error)
        if self._instruments is not None:
            labels = {**_attributes(attempt.place, with_url=False), **outcome}
            self._instruments.request_duration.record(attempt.took, labels, self._context)

    def ended(self, call: CallEnded) -> None:
        outcome = _outcome(call.status_code, call.error)
        if self._span is not None:
            self._span.set_attributes({**outcome, "gatewright.attempts": len(call.attempts)})
            _conclude(self._span, call.error)
        if self._instruments is None:
            return
        labels = _attributes(call.place, with_url=False)
        if call.retries:
            self._instruments.retries.add(call.retries, labels)
        if call.held_back:
            self._instruments.held_back.record(call.held_back, labels, self._context)
        self._instruments.call_duration.record(call.took, {**labels, **outcome}, self._context)
        server, state = _server(call.place), call.state
        self._instruments.budget.set(state["budget_left"], server)
        if state["breaker"] is not None:
            self._instruments.breaker.set(_PHASES[state["breaker"]["state"]], server)


def _parent(call: CallStarted) -> Context:
    """The context of the trace that the call was given, or else the current one."""
    from opentelemetry import context, trace  # noqa: PLC0415 - optional

    current = context.get_current()
    if call.traceparent is None:
        return current
    _, trace_id, span_id, flags = call.traceparent.split("-")
    remote = trace.SpanContext(
        int(trace_id, 16),
        int(span_id, 16),
        is_remote=True,
        trace_flags=trace.TraceFlags(int(flags, 16)),
        trace_state=trace.TraceState.from_header([call.tracestate] if call.tracestate else []),
    )
    return trace.set_span_in_context(trace.NonRecordingSpan(remote), current)


def _written(span: Span) -> tuple[str, str] | None:
    """A span as ``traceparent`` and ``tracestate``; ``None`` where there is none, or no SDK makes any."""
    context = span.get_span_context()
    if not context.is_valid:
        return None
    traceparent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    return traceparent, context.trace_state.to_header()


def _method(place: Place) -> str:
    """The method as a label: one that is not known could be anything."""
    return place.method if place.method in _METHODS else "_OTHER"


def _name(place: Place) -> str:
    method = place.method if place.method in _METHODS else "HTTP"
    return method if place.template is None else f"{method} {place.template}"


def _server(place: Place) -> Labels:
    server: Labels = {"server.address": place.host}
    if place.port is not None:
        server["server.port"] = place.port
    return server


def _attributes(place: Place, *, with_url: bool) -> Labels:
    """Of a place; with its URL, which is for spans only: it has too many values for a label."""
    attributes = _server(place)
    attributes["http.request.method"] = _method(place)
    attributes["url.scheme"] = place.scheme
    if place.template is not None:
        attributes["url.template"] = place.template
    if with_url:
        attributes["url.full"] = place.url
        if place.method not in _METHODS:
            attributes["http.request.method_original"] = place.method
    return attributes


def _outcome(status: int | None, error: str | None) -> Labels:
    outcome: Labels = {}
    if status is not None:
        outcome["http.response.status_code"] = status
    if error is not None:
        outcome["error.type"] = error
    return outcome


def _conclude(span: Span, error: str | None) -> None:
    from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415 - optional

    if error is not None:
        span.set_status(Status(StatusCode.ERROR))
    span.end()
