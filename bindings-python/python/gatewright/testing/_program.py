"""Where the gateway's program is."""

from __future__ import annotations

import os
import shutil
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

PROGRAM = "gatewright-gateway"
VARIABLE = "GATEWRIGHT_GATEWAY"


def find(named: str | os.PathLike[str] | None) -> str | None:
    """The program: the one that was named, else the environment's, the installed package's, or the path's."""
    if named is not None:
        return os.fspath(named)
    return os.environ.get(VARIABLE) or _installed() or shutil.which(PROGRAM)


def _installed() -> str | None:
    """The program of the package `gatewright-gateway`, wherever that was installed."""
    try:
        installed = files(PROGRAM) or []
    except PackageNotFoundError:
        return None
    for file in installed:
        if Path(file.name).stem == PROGRAM:
            place = Path(os.fspath(file.locate()))
            if place.is_file():
                return str(place.resolve())
    return None
