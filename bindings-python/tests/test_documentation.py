"""The guide is true of the code."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import gatewright

if TYPE_CHECKING:
    from mock_gateway import Gateway

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
WEBHOOKS = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", GUIDE + WEBHOOKS, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_every_example_of_the_guide_runs(gateway: Gateway, number: int) -> None:
    script = BLOCKS[number].replace("http://127.0.0.1:4010", gateway.url)
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


def test_the_webhook_examples_for_frameworks_run() -> None:
    blocks = re.findall(r"^```python no-run\n(.*?)^```", WEBHOOKS, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 3
    for block in blocks:
        script = block.replace("whsec_…", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("name", ["fastapi", "flask", "django"])
def test_the_examples_for_frameworks_run(name: str) -> None:
    script = ROOT / "examples" / "python" / f"webhooks_{name}.py"
    done = subprocess.run([sys.executable, "-W", "error", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [line.split(": ")[1][:3] for line in done.stdout.splitlines()] == ["200", "200", "200", "200", "400"]
    assert "the body was parsed as JSON and written again" in done.stderr


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading."""
    text = GUIDE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    table = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in row] for row in table]


@pytest.mark.parametrize("kind", [gatewright.Client, gatewright.AsyncClient])
def test_every_setting_is_in_the_table_with_its_default(kind: type) -> None:
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(kind).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }
    told: dict[str, str] = {}
    for names, values, *_ in rows("Settings"):
        named = re.findall(r"`(\w+)`", names)
        given = values.split(", ") if len(named) > 1 and ", " in values else [values] * len(named)
        told.update(zip(named, given, strict=True))
    assert told.keys() == defaults.keys()
    for name, default in defaults.items():
        shown = told[name].strip("`")
        if isinstance(default, float):
            assert float(shown) == default, name
        elif isinstance(default, bool):
            assert shown == str(default), name
        elif name == "max_attempts":
            assert int(shown) == gatewright.Retry().max_attempts
        elif name == "max_response_bytes":
            assert shown == f"{defaults[name] // 1024**2} MiB"
        elif isinstance(default, (int, str)):
            assert shown == str(default) or shown == f'"{default}"', name


def test_the_retry_defaults_are_told() -> None:
    (row,) = [row for row in rows("Settings") if row[0] == "`retry`"]
    for name in gatewright.Retry.__slots__:
        assert f"`{name}={getattr(gatewright.Retry(), name)}`" in row[2]


def test_every_error_is_in_the_table_with_its_parents() -> None:
    told = {name: row[2].strip("|` ") for row in rows("Errors") for name in re.findall(r"`(\w+Error)`", row[0])}
    kinds = {kind.__name__: kind for kind in gatewright.Error.__subclasses__()}
    assert told.keys() == kinds.keys()
    for name, kind in kinds.items():
        assert told[name] == next((base.__name__ for base in kind.__bases__ if base is not gatewright.Error), ""), name
