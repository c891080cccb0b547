"""Gateways, Redis servers and a Redis Cluster for the tests here: started on free ports, stopped at the end."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path


def until(what: str, is_so, patience: float = 60.0):
    """Waits for something to be so."""
    ends = time.monotonic() + patience
    while not (found := is_so()):
        if time.monotonic() > ends:
            raise AssertionError(f"not within {patience:.0f} s: {what}")
        time.sleep(0.02)
    return found


class Gateway:
    """One gateway process."""

    def __init__(self, program: str, *options: str) -> None:
        self.process = subprocess.Popen(
            [program, "serve", "--port", "0", "--print-json", "--until-stdin-closes", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        ready = json.loads(self.process.stdout.readline())
        self.port = int(ready["url"].rsplit(":", 1)[1])
        self.admin_port = int(ready["admin_url"].rsplit(":", 1)[1])

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self.process.kill()
        self.process.wait()

    def admin(self, method: str, path: str, body: object = None, session: str = "default") -> dict:
        link = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=60)
        text = None if body is None else json.dumps(body)
        mark = "&" if "?" in path else "?"
        link.request(method, f"/admin/{path}{mark}session={session}", text, {"content-type": "application/json"})
        answer = link.getresponse()
        said = answer.read()
        link.close()
        assert answer.status < 300, (answer.status, said)
        return json.loads(said) if said else {}

    def store(self) -> dict:
        return self.admin("GET", "limits")["store"]


class Caller:
    """One connection to a gateway's data port."""

    def __init__(self, gateway: Gateway, key: str, session: str = "default") -> None:
        self.link = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=60)
        self.headers = {"authorization": f"Bearer {key}", "x-mock-session": session}

    def ask(self, method: str = "GET", path: str = "/v1/whoami", body: bytes | None = None, **headers: str):
        self.link.request(method, path, body, self.headers | headers)
        answer = self.link.getresponse()
        answer.read()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}


def free_port() -> int:
    """A port, with that of the cluster bus 10 000 higher, below those that systems give to whoever asks for any: nobody
    takes it before Redis does, or while that is away."""
    while True:
        port = random.randrange(10_000, 20_000)
        try:
            for probed in (port, port + 10_000):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", probed))
        except OSError:
            continue
        return port


class Redis:
    """One redis-server."""

    def __init__(self, *options: str, port: int | None = None) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="gatewright-redis-")
        self.port = port or free_port()
        self.options = options
        self.process: subprocess.Popen | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                "redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                "--dir", self.folder.name, *self.options,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until("redis-server answers", lambda: self.said("PING") == "PONG")

    def said(self, *words: str) -> str | None:
        done = subprocess.run(
            ["redis-cli", "-p", str(self.port), *words], capture_output=True, text=True, check=False, timeout=60
        )
        return done.stdout.strip() if done.returncode == 0 else None

    def pause(self) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self.kill()
        self.folder.cleanup()


class Cluster:
    """Three masters with a replica each."""

    def __init__(self, timeout_ms: int = 3_000) -> None:
        options = ("--cluster-enabled", "yes", "--cluster-node-timeout", str(timeout_ms))
        self.nodes = []
        while len(self.nodes) < 6:
            self.nodes.append(Redis(*options))
        hosts = [f"127.0.0.1:{node.port}" for node in self.nodes]
        subprocess.run(
            ["redis-cli", "--cluster", "create", *hosts, "--cluster-replicas", "1", "--cluster-yes"],
            check=True,
            capture_output=True,
            timeout=120,
        )
        self.url = f"redis+cluster://{','.join(hosts)}"
        until("the cluster is whole", self.is_whole)

    def is_whole(self) -> bool:
        states = [node.said("CLUSTER", "INFO") or "" for node in self.nodes if node.process.poll() is None]
        roles = [node.said("ROLE") or "" for node in self.nodes if node.process.poll() is None]
        linked = all("connected" in role.split() for role in roles if role.startswith("slave"))
        return linked and all("cluster_state:ok" in state for state in states)

    def masters(self) -> list[Redis]:
        return [
            node
            for node in self.nodes
            if node.process.poll() is None and (node.said("ROLE") or "").startswith("master")
        ]

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        for node in self.nodes:
            node.kill()
            node.folder.cleanup()


def scratch(name: str) -> str:
    """A file that is not there yet."""
    return str(Path(tempfile.mkdtemp(prefix="gatewright-limits-")) / name)
