"""One gateway for all tests, a session of its own for each; coroutine tests run on every kind of event loop."""

from __future__ import annotations

import asyncio
import inspect
import shutil
import socket
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from mock_gateway import Gateway, Session, eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
try:
    import uvloop
except ImportError:
    pass
else:
    LOOPS["uvloop"] = uvloop.new_event_loop


@pytest.fixture(scope="session")
def gateway() -> Iterator[Gateway]:
    gateway = Gateway.start()
    yield gateway
    gateway.stop()


@pytest.fixture
def session(gateway: Gateway) -> Iterator[Session]:
    session = gateway.session()
    yield session
    session.admin("DELETE", "sessions")


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A `redis-server` of the test's own. Skipped where there is none."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("there is no redis-server on the path")
    log = tmp_path / "redis.log"
    options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--logfile", str(log)]

    def is_ready() -> bool:
        return log.exists() and "ready to accept connections" in log.read_text(errors="replace").lower()

    while True:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port: int = free.getsockname()[1]
        with subprocess.Popen([program, "--port", str(port), *options], cwd=tmp_path) as server:

            def has_ended(server: subprocess.Popen[bytes] = server) -> bool:
                return server.poll() is not None

            assert eventually(lambda: is_ready() or has_ended()), "redis-server does not come up"
            if has_ended():
                # Somebody else took the port in between.
                assert "in use" in log.read_text(errors="replace")
                log.unlink()
                continue
            yield f"redis://127.0.0.1:{port}"
            server.kill()
            return


@pytest.fixture
def loop_kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if inspect.iscoroutinefunction(metafunc.function):
        metafunc.fixturenames.append("loop_kind")
        metafunc.parametrize("loop_kind", sorted(LOOPS), indirect=True)


async def end_the_others() -> None:
    """Ends what the test left under way, as `asyncio.run` does."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    test = pyfuncitem.obj
    if not inspect.iscoroutinefunction(test):
        return None
    names = inspect.signature(test).parameters
    arguments: dict[str, Any] = {name: pyfuncitem.funcargs[name] for name in names}
    loop = LOOPS[str(pyfuncitem.callspec.params["loop_kind"])]()
    try:
        loop.run_until_complete(test(**arguments))
        loop.run_until_complete(end_the_others())
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()
    return True
