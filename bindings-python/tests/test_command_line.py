"""``python -m gatewright`` and the program ``gatewright``, as installed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import gatewright

if TYPE_CHECKING:
    from mock_gateway import Session

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PROGRAM = Path(sysconfig.get_path("scripts")) / ("gatewright.exe" if os.name == "nt" else "gatewright")
FORMS = [[sys.executable, "-m", "gatewright"], [str(PROGRAM)]]


def run(form: list[str], *arguments: str, body: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*form, *arguments], input=body, capture_output=True, check=False)


@pytest.mark.parametrize("form", FORMS, ids=["module", "program"])
def test_what_it_signs_it_verifies(form: list[str]) -> None:
    body = b'{"a": 1}'
    signed = run(form, "webhook", "sign", "--secret", SECRET, body=body)
    assert signed.returncode == 0, signed.stderr
    headers = [part for line in signed.stdout.decode().splitlines() for part in ("-H", line)]
    genuine = run(form, "webhook", "verify", "--json", "--secret", SECRET, *headers, body=body)
    assert (genuine.returncode, json.loads(genuine.stdout)["genuine"]) == (0, True)
    refused = run(form, "webhook", "verify", "--json", "--secret", SECRET, *headers, body=b'{"a":1}')
    assert (refused.returncode, json.loads(refused.stdout)["code"]) == (1, "bad_signature")


def test_wrong_arguments_and_the_version() -> None:
    wrong = run(FORMS[0], "webhook", "verify", "--colour")
    assert wrong.returncode == 2
    assert b"--colour is not expected here" in wrong.stderr
    version = run(FORMS[0], "--version")
    assert version.stdout.decode() == f"gatewright {gatewright.__version__}\n"


@pytest.mark.skipif(os.name == "nt", reason="no signals")
def test_an_interrupt_ends_listening_and_takes_its_endpoint_away(session: Session) -> None:
    arguments = ["--gateway", session.gateway.admin_url, "--session", session.name]
    with subprocess.Popen(
        [*FORMS[0], "webhook", "listen", "--json", *arguments], stdout=subprocess.PIPE, text=True
    ) as listening:
        assert listening.stdout is not None
        endpoint = json.loads(listening.stdout.readline())["listening"]
        triggered = run(FORMS[0], "webhook", "trigger", "contact.created", "--json", *arguments)
        assert json.loads(triggered.stdout)["deliveries"] == 1
        assert json.loads(listening.stdout.readline())["status"] == 200
        listening.send_signal(signal.SIGINT)
        assert listening.wait() == 0
    endpoints = session.admin("GET", "webhooks/endpoints")["endpoints"]
    assert endpoint not in [known["id"] for known in endpoints]
