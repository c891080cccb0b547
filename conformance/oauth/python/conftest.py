"""A gateway with HTTPS for these tests, and a session of it for each test."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
from provider import Gateway, Provider

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    ca_file = tmp_path_factory.mktemp("https") / "ca.pem"
    command = [os.environ["GATEWRIGHT_GATEWAY"], "serve", "--port", "0", "--https", "--ca-file", str(ca_file)]
    with subprocess.Popen(
        [*command, "--print-json", "--until-stdin-closes"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        said = json.loads(process.stdout.readline())
        assert Path(ca_file).read_text() == said["ca_pem"]
        yield Gateway(said["https_url"], said["admin_url"], str(ca_file))
        process.stdin.close()
        process.wait(timeout=20)


@pytest.fixture
def session(gateway: Gateway) -> str:
    name = f"python-{next(NUMBERS)}"
    requests.post(f"{gateway.admin_url}/admin/sessions", json={"id": name}, timeout=20).raise_for_status()
    return name


@pytest.fixture
def provider(gateway: Gateway, session: str, request: pytest.FixtureRequest) -> Provider:
    return Provider(gateway, session, request.param)
