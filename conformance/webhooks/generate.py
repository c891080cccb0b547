"""Makes the corpus: one file of cases for each scheme. Says with `--check` whether the files are what it would make."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from cases import all_makers

HERE = Path(__file__).parent


def main(arguments: list[str]) -> int:
    """Writes the files, or compares them."""
    total, stale = 0, []
    wanted = {}
    for maker in all_makers():
        lines = ",\n".join(json.dumps(case) for case in maker.cases)
        wanted[f"{maker.scheme}.json"] = f"[\n{lines}\n]\n"
        total += len(maker.cases)
    for name, text in wanted.items():
        file = HERE / name
        if "--check" not in arguments:
            file.write_text(text)
        elif not file.is_file() or file.read_text() != text:
            stale.append(name)
    stale += sorted(file.name for file in HERE.glob("*.json") if file.name not in wanted)
    for name in stale:
        sys.stderr.write(f"{name} is not what generate.py makes\n")
    sys.stdout.write(f"{total} cases of {len(wanted)} schemes\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
