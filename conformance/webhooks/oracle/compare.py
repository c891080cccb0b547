"""Says where the providers' libraries and the corpus disagree, and why ours is right.

compare.py FILE... [--record]    the answers of libraries.py and libraries.mjs, beside `disagreements.json` and
                                 `reasons.json`
compare.py --offline             the two files alone: every disagreement has its reason, and is about a case
                                 that is there

A disagreement without a reason fails, and so does one that is listed and was not found; `--record` writes the list
anew.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LISTED = HERE / "disagreements.json"

#: Schemes that no provider's library could be asked about.
WITHOUT = {
    "zoom": "Zoom publishes none that verifies; it signs as Slack does",
    "mailgun": "Mailgun's libraries have no verification, its documentation has an example",
    "paypal": "its libraries ask PayPal over the network",
    "http-signature": "a standard, not a provider's; checked with the vectors of RFC 9421",
    "custom": "the user's own",
}

#: library -> "scheme/case" -> whether the library accepts it
Found = dict[str, dict[str, bool]]


def corpus() -> dict[str, dict[str, Any]]:
    """All cases by `scheme/name`."""
    cases: dict[str, dict[str, Any]] = {}
    for file in sorted(HERE.parent.glob("*.json")):
        for case in json.loads(file.read_text()):
            cases[f"{file.stem}/{case['name']}"] = case
    return cases


def is_valid(case: dict[str, Any]) -> bool:
    """Whether the corpus says so."""
    return bool(case["expect"]["verdict"] == "valid")


def reason_for(reasons: list[dict[str, Any]], library: str, name: str, accepts: bool) -> int | None:
    """The first reason that fits."""
    bare = name.partition("/")[2]
    for index, reason in enumerate(reasons):
        if reason["accepts"] != accepts or library not in reason.get("libraries", [library]):
            continue
        if any(fnmatchcase(bare, pattern) for pattern in reason["cases"]):
            return index
    return None


def check(listed: Found, cases: dict[str, dict[str, Any]], reasons: list[dict[str, Any]]) -> list[str]:
    """What is wrong with the two files, without any library."""
    wrong, used = [], set()
    for library, names in listed.items():
        for name, accepts in names.items():
            if name not in cases:
                wrong.append(f"{library}: there is no case {name}")
            elif is_valid(cases[name]) == accepts:
                wrong.append(f"{library}: the corpus agrees about {name}")
            index = reason_for(reasons, library, name, accepts)
            if index is None:
                wrong.append(f"{library} {'accepts' if accepts else 'refuses'} {name}: no reason is given")
            used.add(index)
    unused = [reason["why"] for index, reason in enumerate(reasons) if index not in used]
    wrong += [f"a reason is for nothing: {why}" for why in unused]
    return wrong


def show(answers: list[dict[str, Any]], found: Found, cases: dict[str, dict[str, Any]]) -> None:
    """A line for each library: honest cases first."""
    width = max(len(answer["library"]) for answer in answers)
    print(
        f"{'':{width}}  honest cases: agree   explained   hostile cases: agree   library lenient   library too strict"
    )
    for answer in answers:
        library, scheme = answer["library"], answer["scheme"]
        kinds: Counter[str] = Counter()
        for name, accepts in answer["accepts"].items():
            case = cases[f"{scheme}/{name}"]
            side = "hostile" if case["kind"] == "hostile" else "honest"
            differs = f"{scheme}/{name}" in found[library]
            kinds[f"{side} {'differs' if differs else 'agrees'}"] += 1
            if differs and side == "hostile":
                kinds["lenient" if accepts else "strict"] += 1
        honest = f"{kinds['honest agrees']:19}   {kinds['honest differs']:9}"
        print(
            f"{library:{width}}  {honest}   {kinds['hostile agrees']:20}"
            f"   {kinds['lenient']:15}   {kinds['strict']:18}   {answer['version']}"
        )


def tell(found: Found, reasons: list[dict[str, Any]]) -> None:
    """Every disagreement under its reason."""
    groups: dict[int | None, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for library, names in found.items():
        for name, accepts in names.items():
            groups[reason_for(reasons, library, name, accepts)][library].append(name.partition("/")[2])
    for index, reason in enumerate(reasons):
        if index in groups:
            print(f"\n{'accepted' if reason['accepts'] else 'refused'} by libraries, not by us: {reason['why']}")
            for library, bare in sorted(groups[index].items()):
                print(f"  {library}: {', '.join(sorted(bare))}")


def main(arguments: list[str]) -> int:
    """The comparison."""
    cases = corpus()
    reasons: list[dict[str, Any]] = json.loads((HERE / "reasons.json").read_text())
    listed: Found = json.loads(LISTED.read_text()) if LISTED.is_file() else {}
    files = [argument for argument in arguments if not argument.startswith("--")]
    answers = [json.loads(line) for file in files for line in Path(file).read_text().splitlines()]
    found: Found = {}
    for answer in answers:
        found[answer["library"]] = {
            f"{answer['scheme']}/{name}": accepts
            for name, accepts in answer["accepts"].items()
            if is_valid(cases[f"{answer['scheme']}/{name}"]) != accepts
        }
    if "--record" in arguments:
        listed.update(found)
        LISTED.write_text(json.dumps(listed, indent=0, sort_keys=True) + "\n")
    wrong = check(listed, cases, reasons)
    for library, names in found.items():
        known = listed.get(library, {})
        wrong += [f"{library}: a new disagreement about {name}" for name in sorted(names.keys() - known.keys())]
        wrong += [f"{library}: agrees about {name} now" for name in sorted(known.keys() - names.keys())]
    if answers:
        show(answers, found, cases)
        tell(found, reasons)
        for library in sorted(set(listed) - set(found)):
            print(f"\nskipped: {library} could not be installed")
        for scheme, why in WITHOUT.items():
            print(f"\nno library for {scheme}: {why}")
    total = sum(len(names) for names in (found or listed).values())
    print(f"\n{total} disagreements of {len(found or listed)} libraries, {len(wrong)} without a reason or out of date")
    for line in wrong:
        print(f"  {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
