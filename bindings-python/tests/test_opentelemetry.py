"""Observers of calls, and the one for OpenTelemetry: spans, metrics and the trace context that goes along."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import gatewright
from gatewright import AttemptEnded, AttemptStarted, CallEnded, CallStarted, OpenTelemetry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mock_gateway import Session

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


class Telemetry:
    """What OpenTelemetry was told."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.meters = MeterProvider([self.reader])
        self.observer = OpenTelemetry(self.tracers, self.meters)

    def spans(self) -> list[ReadableSpan]:
        return list(self.exporter.get_finished_spans())

    def points(self) -> dict[str, list[Any]]:
        data = self.reader.get_metrics_data()
        assert data is not None
        (resource,) = data.resource_metrics
        (scope,) = resource.scope_metrics
        assert scope.scope.name == "gatewright"
        return {metric.name: list(metric.data.data_points) for metric in scope.metrics}


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    telemetry = Telemetry()
    yield telemetry
    telemetry.meters.shutdown()
    telemetry.tracers.shutdown()


async def until(happened: Callable[[], bool]) -> None:
    """Waits for what another thread does."""
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.005)


def ids(span: ReadableSpan) -> str:
    context = span.get_span_context()
    assert context is not None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def test_a_call_and_each_attempt_are_spans(session: Session, telemetry: Telemetry) -> None:
    session.script("contacts.get", "503", "ok")
    with session.client(observer=telemetry.observer) as client:
        client.get("/v1/contacts/ct_000001", url_template="/v1/contacts/{id}")
    first, second, call = telemetry.spans()
    assert [span.name for span in (first, second, call)] == [
        "GET /v1/contacts/{id}",
        "GET /v1/contacts/{id}",
        "gatewright GET /v1/contacts/{id}",
    ]
    assert (first.kind, call.kind) == (SpanKind.CLIENT, SpanKind.INTERNAL)
    assert first.parent == second.parent == call.get_span_context()
    assert session.header_of("traceparent") == [ids(first), ids(second)]
    assert first.attributes is not None
    assert dict(first.attributes) == {
        "http.request.method": "GET",
        "server.address": "127.0.0.1",
        "server.port": int(session.url.rsplit(":", 1)[1]),
        "url.full": f"{session.url}/v1/contacts/ct_000001",
        "url.scheme": "http",
        "url.template": "/v1/contacts/{id}",
        "http.response.status_code": 503,
        "error.type": "503",
    }
    assert first.status.status_code is StatusCode.ERROR
    assert second.attributes is not None
    assert second.attributes["http.request.resend_count"] == 1
    assert second.status.status_code is StatusCode.UNSET
    assert call.attributes is not None
    assert call.attributes["gatewright.attempts"] == 2


def test_metrics_are_by_the_conventions(session: Session, telemetry: Telemetry) -> None:
    session.script("contacts.get", "503", "ok")
    with session.client(observer=telemetry.observer) as client:
        client.get("/v1/contacts/ct_000001")
    points = telemetry.points()
    attempts = {
        dict(point.attributes)["http.response.status_code"]: point for point in points["http.client.request.duration"]
    }
    assert attempts.keys() == {503, 200}
    assert dict(attempts[503].attributes)["error.type"] == "503"
    assert "url.full" not in dict(attempts[200].attributes)
    assert attempts[200].explicit_bounds[0] == 0.005
    (call,) = points["gatewright.client.call.duration"]
    assert (call.count, dict(call.attributes)["http.response.status_code"]) == (1, 200)
    assert [point.value for point in points["gatewright.client.retries"]] == [1]
    (budget,) = points["gatewright.client.retry_budget"]
    assert budget.value == client.state()["budget_left"]
    assert [point.value for point in points["gatewright.client.breaker"]] == [0]


def test_a_call_is_a_child_of_the_current_span(session: Session, telemetry: Telemetry) -> None:
    tracer = telemetry.tracers.get_tracer("test")
    with session.client(observer=telemetry.observer) as client, tracer.start_as_current_span("outer"):
        client.get("/v1/whoami")
    _, call, outer = telemetry.spans()
    assert call.parent == outer.get_span_context()


async def test_calls_of_asyncio_are_children_of_the_span_of_their_task(session: Session, telemetry: Telemetry) -> None:
    tracer = telemetry.tracers.get_tracer("test")
    async with session.async_client(observer=telemetry.observer) as client:

        async def one(number: int) -> None:
            with tracer.start_as_current_span(f"outer {number}"):
                await client.get("/v1/whoami", params={"number": number})

        await asyncio.gather(*(one(number) for number in range(10)))
    spans = {span.context.span_id: span for span in telemetry.spans() if span.context is not None}
    calls = [span for span in spans.values() if span.name == "gatewright GET"]
    assert len(calls) == 10
    for call in calls:
        assert call.parent is not None
        number = spans[call.parent.span_id].name.removeprefix("outer ")
        (attempt,) = [span for span in spans.values() if span.parent == call.context]
        assert attempt.attributes is not None
        assert str(attempt.attributes["url.full"]).endswith(f"number={number}")


def test_the_trace_that_a_call_is_given_is_its_parent(session: Session, telemetry: Telemetry) -> None:
    with session.client(observer=telemetry.observer) as client:
        client.get("/v1/whoami", traceparent=PARENT, tracestate="vendor=abc")
    attempt, call = telemetry.spans()
    assert call.parent is not None
    assert f"{call.parent.span_id:016x}" == PARENT[36:52]
    assert session.header_of("traceparent") == [ids(attempt)]
    assert ids(attempt)[3:35] == TRACE
    assert session.header_of("tracestate") == ["vendor=abc"]


def test_without_spans_the_current_span_goes_along(session: Session, telemetry: Telemetry) -> None:
    tracer = telemetry.tracers.get_tracer("test")
    with session.client(observer=OpenTelemetry(spans=False, metrics=False)) as client:
        with tracer.start_as_current_span("outer"):
            client.get("/v1/whoami")
        client.get("/v1/whoami")
    (outer,) = telemetry.spans()
    assert session.header_of("traceparent") == [ids(outer), None]


async def test_a_call_that_is_cancelled_is_over(session: Session, telemetry: Telemetry) -> None:
    session.script("whoami", "hang")
    async with session.async_client(observer=telemetry.observer) as client:
        waiting = asyncio.create_task(client.get("/v1/whoami"))
        await until(lambda: len(session.journal()) == 1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await until(lambda: len(telemetry.spans()) == 2)
    for span in telemetry.spans():
        assert span.attributes is not None
        assert span.attributes["error.type"] == "cancelled"


def test_an_error_is_named_by_its_code(session: Session, telemetry: Telemetry) -> None:
    with session.client(observer=telemetry.observer) as client, pytest.raises(gatewright.NotFoundError) as caught:
        client.get("/v1/contacts/ct_999999")
    call = telemetry.spans()[-1]
    assert call.attributes is not None
    assert call.attributes["error.type"] == caught.value.code
    assert call.status.status_code is StatusCode.ERROR


class Watching:
    """An observer of one's own."""

    def __init__(self, name: str | tuple[str, str] | None = None) -> None:
        self.name = name
        self.told: list[CallStarted | AttemptStarted | AttemptEnded | CallEnded] = []

    def call_started(self, call: CallStarted) -> Watching:
        self.told.append(call)
        return self

    def attempt_started(self, attempt: AttemptStarted) -> str | tuple[str, str] | None:
        self.told.append(attempt)
        return self.name

    def attempt_ended(self, attempt: AttemptEnded) -> None:
        self.told.append(attempt)

    def ended(self, call: CallEnded) -> None:
        self.told.append(call)


def test_an_observer_is_told_of_everything_but_secrets(session: Session) -> None:
    session.script("whoami", "503", "ok")
    watching = Watching(name=PARENT)
    with session.client(observer=watching, auth=gatewright.ApiKey("sk_test_unlimited_acme", query="key")) as client:
        response = client.get("/v1/whoami", raise_for_status=False)
    kinds = [type(told).__name__ for told in watching.told]
    assert kinds == ["CallStarted", "AttemptStarted", "AttemptEnded", "AttemptStarted", "AttemptEnded", "CallEnded"]
    last = watching.told[-1]
    assert isinstance(last, CallEnded)
    assert (last.status_code, last.retries, len(last.attempts)) == (response.status_code, 1, 2)
    assert last.state["breaker"] is not None
    assert last.place.method == "GET"
    for told in watching.told:
        assert "sk_test" not in told.place.url
    assert session.header_of("traceparent") == [PARENT] * 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_observer_that_raises_ends_nothing(session: Session) -> None:
    class Broken:
        def call_started(self, call: CallStarted) -> Any:
            raise LookupError(call.place.method)

    raised: list[Any] = []
    hook, sys.unraisablehook = sys.unraisablehook, raised.append
    try:
        with session.client(observer=Broken()) as client:
            assert client.get("/v1/whoami").is_success
    finally:
        sys.unraisablehook = hook
    assert [type(each.exc_value) for each in raised] == [LookupError]


def test_a_call_need_not_be_watched(session: Session) -> None:
    class Nobody:
        def call_started(self, call: CallStarted) -> None:
            assert call.traceparent is None

    with session.client(observer=Nobody()) as client:
        assert client.get("/v1/whoami").is_success
    assert session.header_of("traceparent") == [None]


def test_what_is_no_observer_is_refused(session: Session) -> None:
    with pytest.raises(TypeError, match=r"observer= takes an object that has call_started\(\), not this int"):
        session.client(observer=5)


def test_the_package_does_without_opentelemetry() -> None:
    script = """
import sys

sys.modules["opentelemetry"] = None
import gatewright

try:
    gatewright.OpenTelemetry()
except ImportError as missing:
    print(missing)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "OpenTelemetry() wants the package opentelemetry-api, which is not installed"
