"""What an import costs in a fresh interpreter, and what the package weighs.

Usage: python import_table.py WHEEL
"""

from __future__ import annotations

import importlib.metadata
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 21
NAMES = ["gatewright", "pyreqwest.client", "primp", "urllib3", "requests", "httpx", "aiohttp", "stripe", "openai"]


def time_of(code: str) -> float:
    """Milliseconds from starting an interpreter to its end."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-I", "-c", code], check=True)
    return (time.perf_counter() - begun) * 1e3


def installed_mb(name: str) -> float:
    """What the distribution has put on the disk, without what it depends on."""
    files = importlib.metadata.files(name) or []
    paths = [Path(str(file.locate())) for file in files if file.suffix != ".pyc"]
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6


def main() -> None:
    """Prints the table and the wheel's size."""
    wheel = Path(sys.argv[1])
    programs = {"bare": "pass"} | {name: f"import {name}" for name in NAMES}
    rounds: dict[str, list[float]] = {name: [] for name in programs}
    for code in programs.values():
        time_of(code)
    for _ in range(ROUNDS):
        for name, code in programs.items():
            rounds[name].append(time_of(code))
    extra = {
        name: statistics.median(a - b for a, b in zip(rounds[name], rounds["bare"], strict=True)) for name in NAMES
    }
    print("| Import | ms on top of a bare interpreter | installed, MB |")
    print("|---|---:|---:|")
    for name in sorted(NAMES, key=extra.__getitem__):
        package = name.split(".")[0]
        version = importlib.metadata.version(package)
        print(f"| {name} {version} | {extra[name]:.0f} | {installed_mb(package):.1f} |")
    bare = statistics.median(rounds["bare"])
    print(f"\nMedians of {ROUNDS} rounds; a bare interpreter takes {bare:.0f} ms. Without what a package depends on.")
    print(f"\nThe wheel `{wheel.name}` has {wheel.stat().st_size / 1e6:.2f} MB.")


if __name__ == "__main__":
    main()
