"""What PyPI shows: the tests in the packages' descriptions, written to files as they say, and run by pytest."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import metadata
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

FILES = re.compile(r"^```python (\w+\.py)\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("package", ["gatewright", "gatewright-gateway"])
def test_the_tests_of_the_description_pass(package: str, tmp_path: Path) -> None:
    files = FILES.findall(str(metadata(package).json["description"]))
    assert [name for name, _ in files] == ["conftest.py", "test_contacts.py"]
    for name, text in files:
        (tmp_path / name).write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 passed" in done.stdout, done.stdout + done.stderr
