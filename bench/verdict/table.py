"""Has every client play the plan against a gateway, and prints what the gateway's verdict on each is, as Markdown.

`table.py ADMIN_URL URL CLIENTS [--docs FILE] [--journals FOLDER] [--measured TEXT]`, CLIENTS being JSON: for each name
`command`, `cwd` and `version`. With `--docs` the table is put between the marks in that file, with TEXT (when, and on
which machine) below. The journal of each session goes to a file of FOLDER, and so does what each client said of its
errors, to compare what is judged with what arrived. Exit code 1 where one of ours is not graded A.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

PLAN = json.loads(Path(__file__).with_name("plan.json").read_text())
BEGIN, END = "<!-- verdicts: made by cargo xtask verdict-table -->", "<!-- end of verdicts -->"
SHOWN = {"kept": "kept", "unseen": "", "minor": "minor", "major": "**major**", "critical": "**critical**"}
OURS = "gatewright-"
AT_ONCE = 3
"""Clients that play side by side: more would disturb each other's waits."""

# All is on this machine.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}

_opener = build_opener(ProxyHandler({}))


class Gateway:
    """The admin port."""

    def __init__(self, admin_url: str) -> None:
        self._url = f"{admin_url}/admin/"

    def ask(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = Request(self._url + path, data, {"content-type": "application/json"}, method=method)
        with _opener.open(request, timeout=60) as answer:
            return json.load(answer)

    def prepare(self, client: str) -> None:
        """A session for each step, with its faults."""
        for step in PLAN:
            session = f"{client}-{step['name']}"
            self.ask("POST", "sessions", {"id": session, "options": step.get("options", {})})
            self.ask("PUT", f"faults?session={session}", {"rules": step.get("faults", [])})

    def verdict(self, client: str) -> dict[str, Any]:
        verdict: dict[str, Any] = self.ask("GET", f"verdict?session={client}-*")
        return verdict


def all_play(gateway: Gateway, url: str, programs: dict[str, Any], said_by: dict[str, str]) -> bool:
    """Has clients play side by side; says whether all did. What they said of their errors goes to `said_by`."""
    playing = {}
    for name, program in programs.items():
        gateway.prepare(name)
        # Names of sessions begin with the client's, and no client's begins with another's.
        command = [part.format(name=name, url=url) for part in program["command"]]
        playing[name] = subprocess.Popen(
            command, cwd=program["cwd"], stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
        )
    well = True
    for name, process in playing.items():
        _, said = process.communicate(timeout=600)
        said_by[name] = said
        if process.returncode != 0:
            print(f"{name} ended with {process.returncode}:\n{said}", file=sys.stderr)
            well = False
    return well


def ours_first(client: tuple[str, object]) -> tuple[bool, str]:
    return (not client[0].startswith(OURS), client[0])


def main() -> int:
    admin_url, url, clients, *options = sys.argv[1:]
    asked = dict(zip(options[::2], options[1::2], strict=True))
    gateway, programs = Gateway(admin_url), dict(sorted(json.loads(clients).items(), key=ours_first))
    names, said_by = list(programs), dict[str, str]()
    for begin in range(0, len(names), AT_ONCE):
        some = {name: programs[name] for name in names[begin : begin + AT_ONCE]}
        if not all_play(gateway, url, some, said_by):
            return 1
    verdicts = {name: gateway.verdict(name) for name in programs}
    if "--journals" in asked:
        write_journals(gateway, Path(asked["--journals"]), said_by)
    table = markdown(verdicts, {name: program["version"] for name, program in programs.items()})
    if "--measured" in asked:
        table += f"\n\n{asked['--measured']}"
    print(table)
    if "--docs" in asked:
        put(Path(asked["--docs"]), table)
    wrong = [name for name, verdict in verdicts.items() if name.startswith(OURS) and verdict["grade"] != "A"]
    if wrong:
        print(f"not graded A: {', '.join(wrong)}", file=sys.stderr)
    return 1 if wrong else 0


def markdown(verdicts: dict[str, dict[str, Any]], versions: dict[str, str]) -> str:
    names = list(verdicts)
    lines = ["| | " + " | ".join(f"{name} {versions[name]}" for name in names) + " |"]
    lines.append("|---|" + "---|" * len(names))
    lines.append("| **grade** | " + " | ".join(f"**{verdicts[name]['grade']}**" for name in names) + " |")
    for rows in zip(*(verdicts[name]["aspects"] for name in names), strict=True):
        marks = " | ".join(SHOWN[row["mark"]] for row in rows)
        lines.append(f"| `{rows[0]['aspect']}` | {marks} |")
    for name in names:
        wrong = [row for row in verdicts[name]["aspects"] if row["mark"] not in ("kept", "unseen")]
        if wrong:
            lines += ["", f"**{name}**", ""]
            lines += [f"- {row['mark']}, `{row['aspect']}`: {row['reason']}" for row in wrong]
    return "\n".join(lines)


def put(file: Path, table: str) -> None:
    """Puts the table between the marks."""
    text = file.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    file.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}")


def write_journals(gateway: Gateway, folder: Path, said_by: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for client, said in said_by.items():
        (folder / f"{client}.errors.txt").write_text(said)
        for step in PLAN:
            session = f"{client}-{step['name']}"
            entries = gateway.ask("GET", f"journal?session={session}")["entries"]
            (folder / f"{session}.json").write_text(json.dumps(entries, indent=1))


raise SystemExit(main())
