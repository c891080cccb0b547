"""Ctrl-C ends a call that waits, and the interpreter ends whatever is under way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mock_gateway import Session

PRELUDE = """
import asyncio, logging, signal, sys, threading
# Development mode warns of steps over 0.1 s, which the first one is where the machine is busy.
logging.getLogger("asyncio").setLevel(logging.ERROR)
# Whoever runs the tests in the background may have it ignored, which is inherited.
signal.signal(signal.SIGINT, signal.default_int_handler)
import gatewright
settings = dict(auth="sk_test_unlimited_acme", headers={headers!r})
client = gatewright.Client({url!r}, **settings)
patience = gatewright.Retry(backoff_base=1e6, backoff_cap=1e6)
patient = gatewright.Client({url!r}, retry=patience, timeout=None, **settings)
async_client = gatewright.AsyncClient({url!r}, **settings)
"""


def start(session: Session, script: str) -> subprocess.Popen[bytes]:
    source = PRELUDE.format(headers=session.headers, url=session.url) + textwrap.dedent(script)
    return subprocess.Popen([sys.executable, "-X", "dev", "-c", source], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def wait_for_request(session: Session, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while not session.journal():
        assert process.poll() is None
        assert time.monotonic() < deadline


@pytest.mark.skipif(os.name == "nt", reason="no signals here")
@pytest.mark.parametrize(
    "call",
    [
        'client.get("/v1/delay/60000")',
        'client.get("/v1/drip?bytes=100&interval_ms=1000")',
        'client.stream("GET", "/v1/drip?bytes=100&interval_ms=1000").read()',
        'patient.get("/v1/whoami", headers={"X-Mock-Fault": "reset"})',
        'asyncio.run(async_client.get("/v1/delay/60000"))',
    ],
)
def test_ctrl_c_ends_a_call(session: Session, call: str) -> None:
    script = f"""
        try:
            {call}
        except KeyboardInterrupt:
            answer = client.get("/v1/whoami")
            print("interrupted", answer.status_code)
    """
    process = start(session, script)
    wait_for_request(session, process)
    process.send_signal(signal.SIGINT)
    # The call itself would take a minute and more.
    out, err = process.communicate(timeout=40)
    assert (out.decode().split(), err) == (["interrupted", "200"], b"")


@pytest.mark.parametrize(
    "script",
    [
        # A daemon thread in the middle of a call.
        """
        threading.Thread(target=client.get, args=("/v1/delay/60000",), daemon=True).start()
        """,
        # A daemon thread with a loop in the middle of a call, which would ask for a token next.
        """
        slow = gatewright.AsyncClient(async_client.base_url, auth=lambda: "sk_test_unlimited_acme",
                                      headers=settings["headers"])
        threading.Thread(target=lambda: asyncio.run(slow.get("/v1/delay/60000")), daemon=True).start()
        """,
        # A loop that was never closed, with a call under way.
        """
        loop = asyncio.new_event_loop()
        loop.create_task(async_client.get("/v1/delay/60000"))
        loop.run_until_complete(asyncio.sleep(0.05))
        import warnings; warnings.simplefilter("ignore")
        import logging; logging.disable()
        """,
        # A stream that was never closed.
        """
        stream = client.stream("GET", "/v1/drip?bytes=100&interval_ms=1000")
        """,
    ],
)
def test_the_interpreter_ends_whatever_is_under_way(session: Session, script: str) -> None:
    wait = """
import json, time, urllib.request
while True:
    with urllib.request.urlopen({journal!r}) as answer:
        if json.load(answer)["entries"]:
            break
print("done")
"""
    journal = f"{session.gateway.admin_url}/admin/journal?session={session.name}"
    process = start(session, textwrap.dedent(script) + wait.format(journal=journal))
    out, err = process.communicate(timeout=50)
    assert (process.returncode, out.decode().strip(), err.decode()) == (0, "done", "")
