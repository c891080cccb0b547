"""One client in many threads, and in child processes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

import gatewright

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_gateway import Session

FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
# Python 3.12 warns of forks beside threads; that they work is what is tested.
FORK_WARNING = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def test_32_threads_share_one_client(session: Session) -> None:
    with session.client() as client:

        def work(number: int) -> list[str]:
            return [client.post("/v1/echo", json=[number, at]).json()["body_base64"] for at in range(20)]

        with ThreadPoolExecutor(32) as pool:
            answers = list(pool.map(work, range(32)))
    assert len({body for bodies in answers for body in bodies}) == 32 * 20
    assert len(session.journal()) == 32 * 20


def test_a_thread_that_waits_does_not_keep_others_from_theirs() -> None:
    asked, go = threading.Event(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/slow":
                asked.set()
                go.wait(60)
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with ThreadPoolExecutor(2) as pool, ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        pool.submit(server.serve_forever)
        try:
            with gatewright.Client(f"http://127.0.0.1:{server.server_port}", timeout=None) as client:
                slow = pool.submit(client.get, "/slow")
                assert asked.wait(30)
                for _ in range(20):
                    assert client.get("/fast").is_success
                assert not slow.done()
                go.set()
                assert slow.result().is_success
        finally:
            go.set()
            server.shutdown()


def test_a_client_may_be_used_and_dropped_in_any_thread(session: Session) -> None:
    clients = [session.client() for _ in range(8)]

    def use() -> None:
        client = clients.pop()
        client.get("/v1/whoami")
        client.stream("GET", "/v1/bytes/1000000")

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clients == []


def in_child(work: Callable[[], None]) -> None:
    """Runs `work` in a child process, which must end well within a minute."""
    process = os.fork()
    if process == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    killer = threading.Timer(60, os.kill, (process, 9))
    killer.start()
    _, status = os.waitpid(process, 0)
    killer.cancel()
    assert os.waitstatus_to_exitcode(status) == 0


@FORKS
@FORK_WARNING
def test_a_used_client_works_in_parent_and_child(session: Session) -> None:
    with session.client() as client:
        client.post("/v1/echo")

        def work() -> None:
            for _ in range(5):
                assert client.post("/v1/echo").is_success

        in_child(work)
        in_child(work)
        work()
    assert len(session.journal()) == 16
    assert len(set(session.header_of("idempotency-key"))) == 16


@FORKS
@FORK_WARNING
def test_a_used_async_client_works_in_parent_and_child(session: Session) -> None:
    client = session.async_client()

    async def call() -> None:
        responses = await asyncio.gather(*(client.post("/v1/echo") for _ in range(5)))
        assert all(response.is_success for response in responses)

    def work() -> None:
        asyncio.run(call())

    work()
    in_child(work)
    in_child(work)
    work()
    assert len(set(session.header_of("idempotency-key"))) == 20


@FORKS
@FORK_WARNING
def test_a_client_that_never_called_works_in_children(session: Session) -> None:
    client, async_client = session.client(), session.async_client()

    def work() -> None:
        assert client.get("/v1/whoami").is_success

        async def call() -> None:
            assert (await async_client.get("/v1/whoami")).is_success

        asyncio.run(call())

    in_child(work)
    work()


@FORKS
@FORK_WARNING
def test_a_fork_in_the_middle_of_other_threads_calls_is_harmless(session: Session) -> None:
    with session.client() as client:
        stop = threading.Event()

        def call() -> None:
            assert client.get("/v1/whoami").is_success

        def keep_calling() -> None:
            while not stop.is_set():
                call()

        threads = [threading.Thread(target=keep_calling) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(5):
                in_child(call)
        finally:
            stop.set()
            for thread in threads:
                thread.join()


@FORKS
@FORK_WARNING
def test_a_child_of_a_running_loop_may_run_a_loop_of_its_own(session: Session) -> None:
    client = session.async_client()

    async def main() -> None:
        await client.get("/v1/whoami")

        def work() -> None:
            asyncio.set_event_loop(None)
            asyncio._set_running_loop(None)

            async def call() -> None:
                assert (await client.get("/v1/whoami")).is_success

            asyncio.run(call())

        in_child(work)
        assert (await client.get("/v1/whoami")).is_success

    asyncio.run(main())


@FORKS
def test_workers_of_a_preloaded_application_all_work(session: Session) -> None:
    """As gunicorn with --preload: the application makes and uses clients, then the server forks its workers."""
    script = f"""
        import asyncio, os, sys, warnings
        import gatewright

        warnings.simplefilter("ignore", DeprecationWarning)
        settings = dict(auth="sk_test_unlimited_acme", headers={session.headers!r})
        client = gatewright.Client({session.url!r}, **settings)
        async_client = gatewright.AsyncClient({session.url!r}, **settings)
        client.get("/v1/whoami")
        asyncio.run(async_client.get("/v1/whoami"))

        async def handle():
            return await asyncio.gather(*(async_client.get("/v1/whoami") for _ in range(10)))

        workers = []
        for _ in range(4):
            pid = os.fork()
            if pid == 0:
                for _ in range(10):
                    client.get("/v1/whoami")
                asyncio.run(handle())
                sys.exit(0)
            workers.append(pid)
        sys.exit(any(os.waitpid(pid, 0)[1] for pid in workers))
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True, timeout=100)
    assert len(session.journal()) == 2 + 4 * 20
