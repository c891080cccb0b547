"""The reference gateway as a process, and what a test asks of its admin port."""

from __future__ import annotations

import base64
import gc
import json
import os
import subprocess
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from gatewright import AsyncClient, Client, Retry

if TYPE_CHECKING:
    import weakref
    from collections.abc import Callable

KEY = "sk_test_unlimited_acme"
SOON = Retry(backoff_base=0.001, backoff_cap=0.002)
"""Retries that do not make a test wait."""

_opener = build_opener(ProxyHandler({}))


def program() -> Path:
    """The gateway's program: named by the environment, or built now."""
    for name in ("GATEWRIGHT_GATEWAY_BIN", "GATEWRIGHT_GATEWAY"):
        if named := os.environ.get(name):
            return Path(named)
    root = Path(__file__).resolve().parents[2]
    subprocess.run(["cargo", "build", "--quiet", "-p", "gatewright-server-mock"], cwd=root, check=True)
    metadata = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--format-version=1"], cwd=root, check=True, capture_output=True
    )
    target: str = json.loads(metadata.stdout)["target_directory"]
    return Path(target) / "debug" / "gatewright-gateway"


@dataclass(frozen=True)
class Gateway:
    """A running gateway."""

    url: str
    admin_url: str
    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls) -> Gateway:
        command = [str(program()), "serve", "--port", "0", "--print-json", "--until-stdin-closes"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        return cls(ready["url"], ready["admin_url"], process)

    def stop(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()

    def session(self) -> Session:
        return Session(self, f"py-{uuid.uuid4().hex}")


@dataclass(frozen=True)
class Session:
    """One test's own world in the gateway."""

    gateway: Gateway
    name: str

    @property
    def url(self) -> str:
        return self.gateway.url

    @property
    def headers(self) -> dict[str, str]:
        return {"x-mock-session": self.name}

    def client(self, **settings: Any) -> Client:
        """A client of this session; retries do not wait unless told to."""
        return Client(self.url, **self._settings(settings))

    def async_client(self, **settings: Any) -> AsyncClient:
        """The same for asyncio."""
        return AsyncClient(self.url, **self._settings(settings))

    def _settings(self, given: dict[str, Any]) -> dict[str, Any]:
        headers = {**self.headers, **given.pop("headers", {})}
        return {"auth": KEY, "retry": SOON, "headers": headers, **given}

    def admin(self, method: str, path: str, body: object = None, **query: object) -> Any:
        """Calls the admin port."""
        url = f"{self.gateway.admin_url}/admin/{path}?{urlencode({'session': self.name, **query})}"
        data = None if body is None else json.dumps(body).encode()
        request = Request(url, data, {"content-type": "application/json"}, method=method)
        with _opener.open(request, timeout=30) as answer:
            return json.load(answer)

    def faults(self, *rules: dict[str, Any]) -> None:
        """Sets the fault rules."""
        self.admin("PUT", "faults", {"rules": rules})

    def script(self, op: str, *faults: str) -> None:
        """Plays these faults, one for each request of an operation."""
        self.faults({"match": {"op": op}, "script": faults})

    def journal(self) -> list[dict[str, Any]]:
        """What came in, in order."""
        entries: list[dict[str, Any]] = self.admin("GET", "journal")["entries"]
        return entries

    def last(self) -> dict[str, Any]:
        """What came in last."""
        return self.journal()[-1]

    def header_of(self, name: str) -> list[str | None]:
        """A header's value in each request that came in."""
        return [dict(entry["headers"]).get(name) for entry in self.journal()]

    def effects(self, op: str = "contacts.create") -> dict[str, Any]:
        """The side effects of an operation."""
        effects: dict[str, Any] = self.admin("GET", "effects", op=op)
        return effects

    def set(self, **options: object) -> None:
        """Sets options of the session."""
        self.admin("POST", "session", options)


def eventually(happened: Callable[[], bool]) -> bool:
    """Whether it happens: what another thread or process does may come a moment later."""
    deadline = time.monotonic() + 30
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def collected(gone: weakref.ref[Any]) -> bool:
    """Whether the collector finds it. Other threads give back what they hold a moment after a call has ended."""
    return eventually(lambda: gc.collect() >= 0 and gone() is None)


def descriptors() -> int:
    """How many files this process has open."""
    return len(list(Path("/dev/fd").iterdir()))


def body_of(entry: dict[str, Any]) -> bytes:
    """The body of a request in the journal."""
    return base64.b64decode(entry["body_base64"])
