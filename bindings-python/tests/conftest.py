"""One gateway for all tests, a session of its own for each; coroutine tests run on every kind of event loop."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

import pytest

from mock_gateway import Gateway, Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
