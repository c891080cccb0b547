"""Importing the package does nothing but import it."""

from __future__ import annotations

import subprocess
import sys

import gatewright


def run(script: str) -> list[str]:
    done = subprocess.run([sys.executable, "-I", "-c", script], check=True, capture_output=True, text=True)
    assert done.stderr == ""
    return done.stdout.split()


def test_importing_begins_no_thread_and_opens_no_file() -> None:
    script = """
import os
def count(): return [len(os.listdir(f"/proc/self/{what}")) for what in ("task", "fd")]
before = count()
import gatewright
print(before == count())
"""
    if sys.platform == "linux":
        assert run(script) == ["True"]


def test_importing_loads_nothing_heavy() -> None:
    heavy = ["asyncio", "ssl", "http", "email", "urllib", "logging", "inspect", "dataclasses", "typing", "json", "re"]
    script = "import sys{}; print(*[name for name in " + repr(heavy) + " if name in sys.modules])"
    assert run(script.format(", gatewright")) == run(script.format(""))


def test_importing_leaves_logging_and_signals_alone() -> None:
    script = """
import logging, signal
before = signal.getsignal(signal.SIGINT)
import gatewright
print(signal.getsignal(signal.SIGINT) is before, logging.getLogger("gatewright").handlers, logging.root.handlers)
"""
    assert run(script) == ["True", "[]", "[]"]


def test_everything_that_is_exported_is_there() -> None:
    assert sorted(gatewright.__all__) == sorted(set(gatewright.__all__))
    for name in gatewright.__all__:
        assert getattr(gatewright, name).__doc__, name
    for name in gatewright.webhooks.__all__:
        assert getattr(gatewright.webhooks, name).__doc__, name


def test_the_package_says_that_it_is_typed() -> None:
    from importlib.resources import files

    assert files("gatewright").joinpath("py.typed").is_file()
    assert files("gatewright").joinpath("_native.pyi").is_file()
