"""The conformance adapter of the Python SDK: reads requests line by line, carries them out, answers line by line.

    python adapter.py           with gatewright.AsyncClient
    python adapter.py --sync    with gatewright.Client

The protocol is in conformance/PROTOCOL.md.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import itertools
import json
import os
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from logins import log_in, log_in_async

import gatewright
from gatewright.webhooks import Template, Webhook, WebhookError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

Json = dict[str, Any]

CAPABILITIES = [
    "api_key_cookie",
    "breaker",
    "cache",
    "concurrency",
    "connections",
    "credentials",
    "download",
    "events",
    "explain",
    "failure_kinds",
    "float_times",
    "hedging",
    "hooks",
    "idempotency",
    "input_errors",
    "json_lines",
    "min_throughput",
    "oauth",
    "oauth_login",
    "only_cache",
    "pages",
    "pacing",
    "partial_bodies",
    "redirects",
    "regions",
    "replayable_upload",
    "signatures",
    "stream_download",
    "stream_upload",
    "tls",
    "token_callback",
    "trace_context",
    "truncated_encodings",
    "upload",
    "webhook_asymmetric",
    "webhook_schemes",
    "webhook_sign",
    "webhook_verify",
]
LACKS: dict[str, str] = {}
ONLY_ASYNC = ["cancel", "interruptible_callbacks"]
SYNC_LACKS = {
    "cancel": "a call of the sync client ends by itself or by its deadline",
    "interruptible_callbacks": "callbacks run on the caller's own thread, to their end",
}

SHOWN_BODY = 64 * 1024
"""Bodies up to this are shown, longer ones only hashed."""


class UnsupportedError(Exception):
    """What the harness asked for and the adapter cannot do."""


# Clients


@dataclass
class Counts:
    """How often a client called back."""

    tokens: int = 0
    before: int = 0
    after: int = 0

    def shown(self) -> Json:
        return {"ok": True, "tokens_fetched": self.tokens, "hooks_called": {"before": self.before, "after": self.after}}


@dataclass
class Opened:
    client: Any
    counts: Counts


def seconds(value: Any) -> float | None:
    """Milliseconds as seconds; texts are the floats that are no numbers."""
    if value is None:
        return None
    return float(value) / 1e3 if not isinstance(value, str) else float(value)


PLAIN_OPTIONS = {
    "headers": "headers",
    "max_attempts": "max_attempts",
    "pacing": "pacing",
    "quota": "quota",
    "idempotency_keys": "idempotency_keys",
    "idempotency_header": "idempotency_header",
    "idempotency_quoted": "idempotency_quoted",
    "max_redirects": "max_redirects",
    "allowed_origins": "allowed_origins",
    "allow_http": "allow_http",
    "max_response_bytes": "max_response_bytes",
    "raise_for_status": "raise_for_status",
    "max_concurrency": "max_concurrency",
    "regions": "regions",
}
TIMEOUTS = {
    "timeout_ms": "timeout",
    "attempt_timeout_ms": "attempt_timeout",
    "connect_timeout_ms": "connect_timeout",
    "read_timeout_ms": "read_timeout",
}
CALL_TIMEOUTS = {**TIMEOUTS, "idle_timeout_ms": "idle_timeout"}
RETRY_TIMES = {
    "backoff_base_ms": "backoff_base",
    "backoff_cap_ms": "backoff_cap",
    "max_retry_after_ms": "max_retry_after",
}


def settings(options: Json, counts: Counts, sleep: Any) -> Json:
    """The options as arguments of a client."""
    arguments: Json = {"proxy": False}
    retry: Json = {}
    for name, value in options.items():
        if name == "base_url":
            continue
        if name in PLAIN_OPTIONS:
            arguments[PLAIN_OPTIONS[name]] = value
        elif name in TIMEOUTS:
            arguments[TIMEOUTS[name]] = seconds(value)
        elif name in RETRY_TIMES:
            retry[RETRY_TIMES[name]] = seconds(value)
        elif name == "budget":
            retry["budget"] = value
        elif name == "auth":
            arguments["auth"] = credential(value, counts, sleep)
        elif name == "credentials":
            arguments["credentials"] = {name: credential(each, counts, sleep) for name, each in value.items()}
        elif name == "hooks":
            arguments.update(hooks(value, counts))
        elif name == "breaker":
            arguments["breaker"] = value and gatewright.Breaker(**in_seconds(value))
        elif name == "cache":
            arguments["cache"] = value if isinstance(value, bool) else gatewright.Cache(**in_seconds(value))
        elif name == "hedge":
            arguments["hedge"] = hedge(value)
        elif name == "min_throughput":
            arguments["min_throughput"] = floor(value)
        else:
            raise UnsupportedError(f"the option {name}")
    if retry:
        arguments["retry"] = gatewright.Retry(**retry)
    return arguments


def in_seconds(options: Json) -> Json:
    """Options whose times have the names and the unit of Python."""
    return {
        name.removesuffix("_ms"): seconds(value) if name.endswith("_ms") else value for name, value in options.items()
    }


def hedge(value: Any) -> Any:
    return seconds(value["after_ms"]) if isinstance(value, dict) else value


def floor(value: Json | None) -> gatewright.MinThroughput | None:
    return None if value is None else gatewright.MinThroughput(**in_seconds(value))


def credential(auth: Json, counts: Counts, sleep: Any) -> Any:
    kind = auth["kind"]
    if kind == "none":
        return None
    if kind == "bearer":
        return auth["token"]
    if kind == "basic":
        return (auth["user"], auth["password"])
    if kind == "api_key":
        places = {place: auth[place] for place in ("header", "query", "cookie") if place in auth}
        return gatewright.ApiKey(auth["key"], **places)
    if kind == "token":
        return token_callback(auth["fetches"], counts, sleep)
    kinds: Json = {
        "oauth": gatewright.OAuth,
        "hmac": gatewright.HmacSignature,
        "http_signature": gatewright.HttpSignature,
        "dpop": gatewright.Dpop,
    }
    if kind not in kinds:
        raise UnsupportedError(f"auth of the kind {kind}")
    given = {name: value for name, value in in_seconds(auth).items() if name != "kind"}
    for name in ("key", "client_key", "dpop_key"):
        if given.get(name) == "new":
            given[name] = new_key()
    if kind == "hmac":
        # Templates have their places in angle brackets: braces are the harness's.
        if "text" in given:
            given["text"] = template(given["text"])
        if "headers" in given:
            given["headers"] = {name: template(value) for name, value in given["headers"].items()}
    elif kind == "http_signature" and "secret" in given:
        given["secret"] = base64.b64decode(given["secret"])
    try:
        return kinds[kind](**given)
    except TypeError as wrong:
        raise UnsupportedError(f"auth: {wrong}") from None


def template(text: str) -> str:
    return text.replace("<", "{").replace(">", "}")


def new_key() -> str:
    """A new Ed25519 key in PEM."""
    der = bytes.fromhex("302e020100300506032b657004220420") + os.urandom(32)
    return f"-----BEGIN PRIVATE KEY-----\n{base64.b64encode(der).decode()}\n-----END PRIVATE KEY-----\n"


def token_callback(fetches: list[Json], counts: Counts, sleep: Any) -> Any:
    numbers = itertools.count()

    def begin() -> Json:
        counts.tokens += 1
        # The last one goes on for ever.
        return fetches[min(next(numbers), len(fetches) - 1)]

    def end(fetch: Json) -> gatewright.Token:
        if "error" in fetch:
            raise RuntimeError(fetch["error"])
        expires = fetch.get("expires_in_ms")
        return gatewright.Token(fetch["token"], expires_in=None if expires is None else expires / 1e3)

    if sleep is time.sleep:

        def callback() -> gatewright.Token:
            fetch = begin()
            time.sleep(fetch.get("after_ms", 0) / 1e3)
            return end(fetch)

        return callback

    async def async_callback() -> gatewright.Token:
        fetch = begin()
        await sleep(fetch.get("after_ms", 0) / 1e3)
        return end(fetch)

    return async_callback


def hooks(script: Json, counts: Counts) -> Json:
    def before(attempt: Any) -> None:
        counts.before += 1
        if "number_header" in script:
            attempt.set_header(script["number_header"], str(attempt.number))
        if "before_error" in script:
            raise RuntimeError(script["before_error"])

    def after(_attempt: Any) -> None:
        counts.after += 1
        if "after_error" in script:
            raise RuntimeError(script["after_error"])

    return {"before_attempt": before, "after_attempt": after}


# Requests


OF_THE_CALL = [
    "max_events",
    "max_pages",
    "method",
    "mode",
    "pages",
    "path",
    "replayable",
    "stop_after_bytes",
    "supposed",
]
"""Members that are no arguments of a call."""
PLAIN_ARGUMENTS = [
    "cache",
    "headers",
    "idempotency_key",
    "json",
    "last_event_id",
    "max_attempts",
    "raise_for_status",
]


def arguments_of(request: Json, streamed: Callable[[list[bytes]], Any]) -> Json:
    """The request as arguments of a call, without method and path."""
    arguments: Json = {}
    for name, value in request.items():
        if name in (
            "method",
            "path",
            "mode",
            "pages",
            "max_pages",
            "max_events",
            "max_values",
            "stop_after_bytes",
            "replayable",
            "supposed",
        ):
            continue
        if name == "query":
            arguments["params"] = value
        elif name == "hedge":
            arguments["hedge"] = False if value is None else hedge(value)
        elif name in (
            "cache",
            "credential",
            "headers",
            "json",
            "last_event_id",
            "max_attempts",
            "chunk_size",
            "idempotency_key",
            "max_line_bytes",
            "raise_for_status",
            "traceparent",
            "tracestate",
            "url_template",
        ):
            arguments[name] = value
        elif name == "text":
            arguments["content"] = value
        elif name == "base64":
            arguments["content"] = base64.b64decode(value)
        elif name == "chunks":
            make = partial(streamed, [chunk.encode() for chunk in value])
            arguments["content"] = make if request.get("replayable") else make()
        elif name == "min_throughput":
            arguments["min_throughput"] = floor(value)
        elif name == "unencodable":
            arguments["json"] = {"value": object()}
        elif name in ("timeout_ms", "attempt_timeout_ms", "idle_timeout_ms"):
            arguments[CALL_TIMEOUTS[name]] = seconds(value)
        else:
            raise UnsupportedError(f"the request's {name}")
    return arguments


def page_arguments(request: Json) -> Json:
    if request["method"] != "GET":
        raise UnsupportedError("pages of another method than GET")
    return dict(request.get("pages", {}))


# Results


def millis(value: float | timedelta) -> float:
    return (value.total_seconds() if isinstance(value, timedelta) else value) * 1e3


def head(response: Any) -> Json:
    return {
        "ok": True,
        "status": response.status_code,
        "headers": {name.lower(): value for name, value in response.headers.items()},
        "url": response.url,
        "request_id": response.request_id,
        "attempts": [attempt(a) for a in response.attempts],
        "elapsed_ms": millis(response.elapsed),
        "cache": response.cache_status,
    }


def body_of(content: bytes) -> Json:
    body: Json = {"length": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    if len(content) <= SHOWN_BODY:
        try:
            body["text"] = content.decode()
            body["json"] = json.loads(body["text"])
        except ValueError:
            pass
    return body


def attempt(a: Any) -> Json:
    return {
        "number": a.number,
        "started_ms": a.started * 1e3,
        "queued_ms": a.queued * 1e3,
        "queued_for": a.queued_for,
        "took_ms": a.took * 1e3,
        "status": a.status,
        "error": a.error,
        "retry_after_ms": None if a.retry_after is None else a.retry_after * 1e3,
        "request_id": a.request_id,
        "decision": a.decision,
        "reason": a.reason,
        "wait_ms": None if a.wait is None else a.wait * 1e3,
        "budget_left": a.budget_left,
        **({} if a.region is None else {"region": a.region}),
        **({"hedge": True} if a.hedge else {}),
    }


def explained(client: Any, request: Json) -> Json:
    """What the client would do with what is supposed."""
    arguments = in_seconds({**request.get("supposed", {})})
    for name in ("method", "path", "max_attempts"):
        if name in request:
            arguments[name] = request[name]
    if "timeout_ms" in request:
        arguments["timeout"] = seconds(request["timeout_ms"])
    try:
        found = client.explain(arguments.pop("status", None), **arguments)
    except Exception as error:
        return failed(error)
    least, most = found.wait or (None, None)
    return {
        "ok": True,
        "explained": {
            "decision": found.decision,
            "reason": found.reason,
            "least_wait_ms": in_ms(least),
            "most_wait_ms": in_ms(most),
            "to": found.location,
            "code": found.code,
            "repeatable": found.repeatable,
            "retry_after_ms": in_ms(found.retry_after),
            "cost": found.cost,
            "budget_left": found.budget_left,
            "counted": found.counted,
            "breaker": found.breaker,
            "paused_for_ms": in_ms(found.paused_for),
            "region": found.region,
            "quotas": [
                {
                    "policy": quota["policy"],
                    "limit": quota["limit"],
                    "remaining": quota["remaining"],
                    "window_ms": in_ms(quota["window"]),
                    "resets_in_ms": in_ms(quota["resets_in"]),
                }
                for quota in found.quotas
            ],
            "reasons": found.reasons,
            "text": str(found),
        },
    }


def in_ms(value: float | None) -> float | None:
    return None if value is None else value * 1e3


def failed(error: BaseException) -> Json:
    """An error of the SDK; anything else shows as what it is, which is none of the protocol's codes."""
    shown = [str(error), repr(error), "".join(traceback.format_exception(error))]
    if not isinstance(error, gatewright.Error):
        return {"ok": False, "error": {"code": f"python {type(error).__name__}", "message": str(error), "shown": shown}}
    text = error.body[:SHOWN_BODY].decode(errors="replace")
    retry_after = error.retry_after
    return {
        "ok": False,
        "error": {
            "code": error.code,
            "status": error.status_code,
            "retry_after_ms": None if retry_after is None else retry_after * 1e3,
            "request_id": error.request_id,
            "retryability": error.retryability,
            "message": str(error),
            "method": error.method,
            "url": error.url,
            "problem": error.problem,
            "body_text": text,
            "shown": [*shown, error.advice],
        },
        "attempts": [attempt(a) for a in error.attempts],
        "elapsed_ms": error.elapsed * 1e3,
    }


@dataclass
class Received:
    """What came of a streamed body."""

    length: int = 0
    chunks: int = 0
    hash: Any = field(default_factory=hashlib.sha256)

    def take(self, chunk: bytes) -> None:
        self.length += len(chunk)
        self.chunks += 1
        self.hash.update(chunk)

    def shown(self) -> Json:
        return {"length": self.length, "chunks": self.chunks, "sha256": self.hash.hexdigest()}

    def is_enough(self, request: Json) -> bool:
        most = request.get("stop_after_bytes")
        return most is not None and self.length >= most


# The two clients


class Sync:
    """Calls of `gatewright.Client`, each on a thread of its own."""

    name = "gatewright.Client"
    capabilities: ClassVar[list[str]] = CAPABILITIES
    lacks: ClassVar[dict[str, str]] = {**LACKS, **SYNC_LACKS}

    def open(self, options: Json, counts: Counts) -> Any:
        return gatewright.Client(options["base_url"], **settings(options, counts, time.sleep))

    def shut(self, client: Any) -> None:
        client.close()

    def call(self, client: Any, request: Json) -> Json:
        if request.get("mode") == "login":
            try:
                return log_in(client, request)
            except Exception as error:
                return failed(error)

        def chunks(all_chunks: list[bytes]) -> Iterator[bytes]:
            return (chunk for chunk in all_chunks)

        arguments = arguments_of(request, chunks)
        method, path, mode = request["method"], request["path"], request.get("mode", "whole")
        if mode == "whole":
            try:
                response = client.request(method, path, **arguments)
            except Exception as error:
                return failed(error)
            return {**head(response), "body": body_of(response.content)}
        if mode == "stream":
            return self.stream(client, request, arguments)
        if mode == "pages":
            lengths: list[int] = []
            items: list[Any] = []
            answer: Json = {"ok": True}
            try:
                for page in client.pages(path, **page_arguments(request), **arguments):
                    lengths.append(len(page.items))
                    items.extend(page.items)
                    if len(lengths) >= request.get("max_pages", 100):
                        break
            except Exception as error:
                answer = failed(error)
            return {**answer, "pages": lengths, "items": items}
        if mode == "events":
            return self.events(client, request, arguments)
        if mode == "json_lines":
            return self.json_lines(client, request, arguments)
        if mode == "download":
            return self.download(client, request, arguments)
        if mode == "upload":
            return self.upload(client, request, arguments)
        raise UnsupportedError(f"the mode {mode}")

    def events(self, client: Any, request: Json, arguments: Json) -> Json:
        came: list[Json] = []
        answer: Json = {"ok": True}
        try:
            with client.events(request["path"], method=request["method"], **arguments) as events:
                for event in events:
                    came.append({"event": event.event, "data": event.data, "id": event.id})
                    if len(came) >= request.get("max_events", 100):
                        break
        except Exception as error:
            answer = failed(error)
        return {**answer, "events": came}

    def json_lines(self, client: Any, request: Json, arguments: Json) -> Json:
        values: list[Any] = []
        answer: Json = {"ok": True}
        try:
            with client.json_lines(request["path"], method=request["method"], **arguments) as lines:
                for value in lines:
                    values.append(value)
                    if len(values) >= request.get("max_values", 100):
                        break
        except Exception as error:
            answer = failed(error)
        return {**answer, "values": values}

    def download(self, client: Any, request: Json, arguments: Json) -> Json:
        received = Received()
        try:
            with client.download(request["path"], **arguments) as download:
                for chunk in download:
                    received.take(chunk)
                    if received.is_enough(request):
                        break
                return {
                    "ok": True,
                    "total": download.total,
                    "attempts": [attempt(a) for a in download.attempts],
                    "body": received.shown(),
                }
        except Exception as error:
            return {**failed(error), "delivered": received.shown()}

    def upload(self, client: Any, request: Json, arguments: Json) -> Json:
        source = arguments.pop("content", b"")
        try:
            upload = client.upload(request["path"], source, method=request["method"], **arguments)
            response = upload.send()
        except Exception as error:
            return failed(error)
        return {
            **head(response),
            "body": body_of(response.content),
            "attempts": [attempt(a) for a in upload.attempts],
            "resumable": upload.resumable,
            "answer_lost": upload.answer_lost,
        }

    def stream(self, client: Any, request: Json, arguments: Json) -> Json:
        received: Received | None = None
        try:
            with client.stream(request["method"], request["path"], **arguments) as response:
                answer = head(response)
                received = Received()
                for chunk in response.iter_bytes():
                    received.take(chunk)
                    if received.is_enough(request):
                        break
        except Exception as error:
            return {**failed(error), **({"delivered": received.shown()} if received else {})}
        return {**answer, "body": received.shown()}


class Async:
    """Calls of `gatewright.AsyncClient`, each a task."""

    name = "gatewright.AsyncClient"
    capabilities: ClassVar[list[str]] = [*CAPABILITIES, *ONLY_ASYNC]
    lacks: ClassVar[dict[str, str]] = LACKS

    def open(self, options: Json, counts: Counts) -> Any:
        return gatewright.AsyncClient(options["base_url"], **settings(options, counts, asyncio.sleep))

    async def shut(self, client: Any) -> None:
        await client.aclose()

    async def call(self, client: Any, request: Json) -> Json:
        if request.get("mode") == "login":
            try:
                return await log_in_async(client, request)
            except Exception as error:
                return failed(error)

        async def chunks(all_chunks: list[bytes]) -> AsyncIterator[bytes]:
            for chunk in all_chunks:
                yield chunk

        arguments = arguments_of(request, chunks)
        method, path, mode = request["method"], request["path"], request.get("mode", "whole")
        if mode == "whole":
            try:
                response = await client.request(method, path, **arguments)
            except Exception as error:
                return failed(error)
            return {**head(response), "body": body_of(response.content)}
        if mode == "stream":
            return await self.stream(client, request, arguments)
        if mode == "pages":
            lengths: list[int] = []
            items: list[Any] = []
            answer: Json = {"ok": True}
            try:
                async for page in client.pages(path, **page_arguments(request), **arguments):
                    lengths.append(len(page.items))
                    items.extend(page.items)
                    if len(lengths) >= request.get("max_pages", 100):
                        break
            except Exception as error:
                answer = failed(error)
            return {**answer, "pages": lengths, "items": items}
        if mode == "events":
            return await self.events(client, request, arguments)
        if mode == "json_lines":
            return await self.json_lines(client, request, arguments)
        if mode == "download":
            return await self.download(client, request, arguments)
        if mode == "upload":
            return await self.upload(client, request, arguments)
        raise UnsupportedError(f"the mode {mode}")

    async def events(self, client: Any, request: Json, arguments: Json) -> Json:
        came: list[Json] = []
        answer: Json = {"ok": True}
        try:
            async with client.events(request["path"], method=request["method"], **arguments) as events:
                async for event in events:
                    came.append({"event": event.event, "data": event.data, "id": event.id})
                    if len(came) >= request.get("max_events", 100):
                        break
        except Exception as error:
            answer = failed(error)
        return {**answer, "events": came}

    async def json_lines(self, client: Any, request: Json, arguments: Json) -> Json:
        values: list[Any] = []
        answer: Json = {"ok": True}
        try:
            async with client.json_lines(request["path"], method=request["method"], **arguments) as lines:
                async for value in lines:
                    values.append(value)
                    if len(values) >= request.get("max_values", 100):
                        break
        except Exception as error:
            answer = failed(error)
        return {**answer, "values": values}

    async def download(self, client: Any, request: Json, arguments: Json) -> Json:
        received = Received()
        try:
            async with client.download(request["path"], **arguments) as download:
                async for chunk in download:
                    received.take(chunk)
                    if received.is_enough(request):
                        break
                return {
                    "ok": True,
                    "total": download.total,
                    "attempts": [attempt(a) for a in download.attempts],
                    "body": received.shown(),
                }
        except Exception as error:
            return {**failed(error), "delivered": received.shown()}

    async def upload(self, client: Any, request: Json, arguments: Json) -> Json:
        source = arguments.pop("content", b"")
        try:
            upload = client.upload(request["path"], source, method=request["method"], **arguments)
            response = await upload.send()
        except Exception as error:
            return failed(error)
        return {
            **head(response),
            "body": body_of(response.content),
            "attempts": [attempt(a) for a in upload.attempts],
            "resumable": upload.resumable,
            "answer_lost": upload.answer_lost,
        }

    async def stream(self, client: Any, request: Json, arguments: Json) -> Json:
        received: Received | None = None
        try:
            async with client.stream(request["method"], request["path"], **arguments) as response:
                answer = head(response)
                received = Received()
                async for chunk in response.iter_bytes():
                    received.take(chunk)
                    if received.is_enough(request):
                        break
        except Exception as error:
            return {**failed(error), **({"delivered": received.shown()} if received else {})}
        return {**answer, "body": received.shown()}


# Webhooks


def webhook_body(request: Json) -> bytes:
    return base64.b64decode(request["base64"]) if "base64" in request else request["text"].encode()


def webhook_value(value: Any) -> bytes:
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value.encode()


def webhook(request: Json) -> Json:
    try:
        if request["op"] == "webhook.sign":
            signer = Webhook(request["secrets"])
            headers = signer.sign(
                webhook_body(request), message_id=request["message_id"], timestamp=request["timestamp"]
            )
            return {"ok": True, "headers": dict(headers)}
        settings: Json = dict(request.get("settings", {}))
        if "tolerance_s" in request:
            settings["tolerance"] = float(request["tolerance_s"])
        if "max_body" in request:
            settings["max_body"] = request["max_body"]
        if "template" in settings:
            settings["template"] = Template(**settings["template"])
        certificate: str | None = settings.pop("certificate", None)
        settings["fetch_certificate"] = certificate is not None and (lambda _url: str(certificate).encode())
        verifier = Webhook(request["secrets"], scheme=request.get("scheme"), **settings)
        headers = [(name, webhook_value(value)) for name, value in request["headers"]]
        place: Json = {name: request.get(name) for name in ("url", "method")}
        verified = verifier.verify(webhook_body(request), headers, now=request["now"], **place)
    except WebhookError as error:
        return {"ok": False, "error": {"code": error.code, "message": str(error)}}
    names = ["scheme", "algorithm", "key_index", "timestamp", "message_id"]
    names += ["body_bound", "timestamp_signed", "id_signed", "url_bound"]
    return {"ok": True, "verified": {name: getattr(verified, name) for name in names}}


# The loop

_writing = threading.Lock()


def write(request_id: Any, answer: Json) -> None:
    line = json.dumps({**answer, "id": request_id}).encode() + b"\n"
    with _writing:
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()


class Adapter:
    """What both ways of calling have in common."""

    def __init__(self, kind: Sync | Async) -> None:
        self.kind = kind
        self.clients: dict[str, Opened] = {}

    def client(self, request: Json) -> Opened:
        try:
            return self.clients[request["client"]]
        except KeyError:
            raise UnsupportedError(f"the client {request['client']}, which is not open") from None

    def answer(self, request: Json) -> Json | Awaitable[Json]:
        """The answer; of calls of the async client, what awaits it."""
        op = request["op"]
        if op == "hello":
            sdk = f"{self.kind.name} {gatewright.__version__}"
            return {"protocol": 1, "sdk": sdk, "capabilities": self.kind.capabilities, "lacks": self.kind.lacks}
        if op == "client.open":
            counts = Counts()
            try:
                client = self.kind.open(request["options"], counts)
            except UnsupportedError:
                raise
            except Exception as error:
                return failed(error)
            self.clients[request["client"]] = Opened(client, counts)
            return {"ok": True, "shown": [repr(client), str(client)]}
        if op == "client.shut":
            return self.then(self.kind.shut(self.client(request).client), {"ok": True})
        if op == "client.close":
            opened = self.client(request)
            del self.clients[request["client"]]
            return self.then(self.kind.shut(opened.client), opened.counts.shown())
        if op == "client.clear_cache":
            self.client(request).client.clear_cache()
            return {"ok": True}
        if op == "call" and request["request"].get("mode") == "explain":
            return explained(self.client(request).client, request["request"])
        if op == "call":
            return self.kind.call(self.client(request).client, request["request"])
        if op in ("webhook.verify", "webhook.sign"):
            return webhook(request)
        raise UnsupportedError(f"the operation {op}")

    def then(self, done: Awaitable[None] | None, answer: Json) -> Json | Awaitable[Json]:
        if done is None:
            return answer

        async def wait() -> Json:
            await done
            return answer

        return wait()


def run_sync() -> None:
    adapter = Adapter(Sync())

    def serve(request: Json) -> None:
        try:
            answer = adapter.answer(request)
        except UnsupportedError as what:
            answer = {"unsupported": str(what)}
        except Exception as error:
            answer = failed(error)
        write(request["id"], answer)  # type: ignore[arg-type]

    pool = ThreadPoolExecutor(max_workers=256)
    for line in sys.stdin.buffer:
        pool.submit(serve, json.loads(line))
    # Calls under way end with the process.
    pool.shutdown(wait=False, cancel_futures=True)
    sys.stdout.flush()


async def run_async() -> None:
    adapter = Adapter(Async())
    tasks: dict[Any, asyncio.Task[None]] = {}

    async def serve(request: Json) -> None:
        try:
            answer = adapter.answer(request)
            if not isinstance(answer, dict):
                answer = await answer
        except UnsupportedError as what:
            answer = {"unsupported": str(what)}
        except asyncio.CancelledError:
            answer = {"ok": False, "cancelled": True}
        except Exception as error:
            answer = failed(error)
        tasks.pop(request["id"], None)
        write(request["id"], answer)

    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=16 * 1024 * 1024)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    while line := await reader.readline():
        request = json.loads(line)
        if request["op"] == "cancel":
            if target := tasks.get(request["target"]):
                target.cancel()
            write(request["id"], {"ok": True})
        else:
            tasks[request["id"]] = asyncio.create_task(serve(request))
            # It begins before the next line is read: a task that is cancelled before it began answers nothing.
            await asyncio.sleep(0)


if __name__ == "__main__":
    if "--sync" in sys.argv[1:]:
        run_sync()
    else:
        asyncio.run(run_async())
