"""The gateway as a process: started on free ports, ended with this process at the latest."""

from __future__ import annotations

import itertools
import json
import subprocess
import tempfile
import threading
import uuid
from http.client import HTTPConnection, HTTPException
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from gatewright.testing._program import PROGRAM, VARIABLE, find
from gatewright.testing._session import Session

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping
    from types import TracebackType

    from typing_extensions import Self

_READY_WITHIN = 20.0
_ENDS_WITHIN = 5.0
_ADMIN_TIMEOUT = 60.0


class GatewayError(Exception):
    """The gateway could not be started, has ended, or refused what it was asked."""


class GatewayNotInstalledError(GatewayError):
    """There is no program to start."""


class Gateway:
    """A running gateway. It is started at once, and ended by `stop`, by `with`, or with this process.

    `program` is the path of `gatewright-gateway`; default: the environment's `GATEWRIGHT_GATEWAY`, else the one that
    `pip install 'gatewright[testing]'` installed, else the first on the path. `workers` is the number of threads that
    serve, default 1. `regions` names more data ports; `arguments` are more of `gatewright-gateway serve`.

    Raises `GatewayNotInstalledError` where there is no program, and `GatewayError` where it does not start.
    """

    url: str
    """Where clients call: `http://127.0.0.1:PORT`."""
    admin_url: str
    """The admin port, with a page of each session's verdict at `/admin/verdict.html?session=`."""
    regions: Mapping[str, str]
    """The URL of each region."""

    def __init__(
        self,
        *,
        program: str | os.PathLike[str] | None = None,
        workers: int = 1,
        regions: Iterable[str] = (),
        arguments: Iterable[str] = (),
    ) -> None:
        self._numbers = itertools.count(1)
        self._stopped = False
        command = [_found(program), "serve", "--port", "0", "--print-json", "--until-stdin-closes"]
        command += ["--workers", str(workers)]
        for region in regions:
            command += ["--region", region]
        self._complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - it is open as long as the process is
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the user's own program
                [*command, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._complaints
            )
        except OSError as error:
            self._complaints.close()
            raise GatewayError(f"{command[0]} cannot be started: {error}") from error
        ready = self._first_line()
        try:
            said: dict[str, Any] = json.loads(ready)
            self.url, self.admin_url = str(said["url"]), str(said["admin_url"])
        except (ValueError, KeyError):
            reason = self._end() or f"its first line was {ready[:200]!r}"
            raise GatewayError(f"the gateway did not start: {reason}") from None
        self.regions = dict(said.get("regions", {}))

    def session(self, name: str | None = None, /, **options: object) -> Session:
        """A world of its own: records, clock, limits, faults and journal. Default name: a new one.

        `options` are those of `POST /admin/session`, such as `dialect="github"`.
        """
        session = Session(self, name or f"test-{next(self._numbers)}-{uuid.uuid4().hex[:8]}")
        if options:
            session.set(**options)
        return session

    def set_region(self, name: str, *, up: bool) -> None:
        """Closes the port of a region, with its connections, or opens it again."""
        self.admin("POST", "regions", {"name": name, "up": up})

    def admin(self, method: str, path: str, body: object = None, **query: str | int | None) -> Any:
        """Asks the admin port: `admin("GET", "health")`. Raises `GatewayError` with its words where it refuses."""
        if self._stopped:
            # Its port may be somebody else's by now.
            raise GatewayError("the gateway does not answer: it has been stopped")
        address = urlsplit(self.admin_url)
        wanted = urlencode({name: value for name, value in query.items() if value is not None})
        target = f"/admin/{path}?{wanted}" if wanted else f"/admin/{path}"
        data = None if body is None else json.dumps(body).encode()
        connection = HTTPConnection(address.hostname or "127.0.0.1", address.port, timeout=_ADMIN_TIMEOUT)
        try:
            connection.request(method, target, data, {"content-type": "application/json"})
            response = connection.getresponse()
            answer = response.read()
        except (OSError, HTTPException) as error:
            code = self._process.poll()
            what = str(error) if code is None else f"has ended with {code}"
            raise GatewayError(f"the gateway does not answer: it {what}") from error
        finally:
            connection.close()
        if not 200 <= response.status < 300:
            raise GatewayError(f"{method} /admin/{path}: {response.status} {_detail(answer)}")
        return json.loads(answer)

    def stop(self) -> None:
        """Ends it, and returns when it has ended. May be called again."""
        self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None, /
    ) -> None:
        self.stop()

    def __del__(self) -> None:
        if hasattr(self, "_process"):
            self._end()

    def __repr__(self) -> str:
        return f"Gateway(url={getattr(self, 'url', None)!r}, stopped={self._stopped})"

    def _first_line(self) -> bytes:
        """The line that says where it listens; empty when it ended or took too long."""
        alarm = threading.Timer(_READY_WITHIN, self._process.kill)
        alarm.daemon = True
        alarm.start()
        try:
            return self._process.stdout.readline() if self._process.stdout else b""
        finally:
            alarm.cancel()

    def _end(self) -> str:
        """Ends it, and returns what it complained of."""
        if self._stopped:
            return ""
        self._stopped = True
        process = self._process
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()
        try:
            process.wait(_ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with self._complaints as complaints:
            complaints.seek(0)
            return complaints.read(2_000).decode(errors="replace").strip()


def _found(program: str | os.PathLike[str] | None) -> str:
    found = find(program)
    if found is None:
        raise GatewayNotInstalledError(
            f"{PROGRAM} is not installed: pip install 'gatewright[testing]', or name its path in {VARIABLE}"
        )
    return found


def _detail(answer: bytes) -> str:
    try:
        return str(json.loads(answer)["detail"])
    except (ValueError, KeyError, TypeError):
        return answer[:200].decode(errors="replace")
