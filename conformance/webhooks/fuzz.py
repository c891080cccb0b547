"""Changes cases at random and asks the reference and a player for the verdict: they must agree, whatever comes.

fuzz.py PLAYER [--seed N] [--runs N] [--scheme NAME]

PLAYER reads cases as lines of JSON and writes a list of verdicts for each (core/webhook/examples/play_cases.rs). An
input that verifies was signed: so says the reference. The same seed makes the same cases.
"""

from __future__ import annotations

import argparse
import base64
import copy
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

from reference.schemes import play

HERE = Path(__file__).parent
Case = dict[str, Any]
#: What is put into headers, bodies and URLs.
PIECES = [
    b"",
    b" ",
    b"\t",
    b"\r\n",
    b"\0",
    b",",
    b";",
    b"=",
    b".",
    b":",
    b"|",
    b"&",
    b"+",
    b"-",
    b"%",
    b"%2",
    b"%41",
    b"/",
    b"?",
    b"#",
    b"@",
    b'"',
    b"'",
    b"\\",
    b"(",
    b")",
    b"{",
    b"}",
    b"[",
    b"]",
    b"0",
    b"1",
    b"9",
    b"A",
    b"z",
    b"_",
    b"v1",
    b"v1,",
    b"v1a,",
    b"v1=",
    b"v0=",
    b"t=",
    b"ts=",
    b"h1=",
    b"sha256=",
    b"sig1=",
    b";created=1700000000",
    b'"content-digest"',
    b"bodySHA256=",
    b"whsec_",
    b"null",
    b"true",
    b"1e5",
    b"\xc3\xa9",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xef\xbc\x90",
    b"\\u0041",
    b":443",
    b":80",
]


def bytes_of(value: str | dict[str, str]) -> bytes:
    """A header's value."""
    return value.encode() if isinstance(value, str) else base64.b64decode(value["base64"])


def changed(rng: random.Random, data: bytes) -> bytes:
    """A few bytes taken away, put in, doubled, moved or flipped."""
    at = rng.randrange(len(data) + 1)
    end = min(len(data), at + rng.choice([1, 1, 2, 4, 16]))
    match rng.randrange(7):
        case 0:
            return data[:at] + rng.choice(PIECES) + data[at:]
        case 1:
            return data[:at] + data[end:]
        case 2:
            return data[:at] + data[at:end] * 2 + data[end:]
        case 3:
            return data[:at] + rng.choice(PIECES) + data[end:]
        case 4 if data:
            at = min(at, len(data) - 1)
            return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
        case 5:
            return data[end:] + data[:end]
        case _:
            return data[:at] + data[at:end].swapcase() + data[end:]


def mutate(rng: random.Random, cases: list[Case]) -> tuple[Case, bool]:
    """One case, changed here and there, or with a part of another; and whether it has one fault at most."""
    case = copy.deepcopy(rng.choice(cases))
    changes = rng.choice([1, 1, 1, 2, 3])
    one_fault = changes == 1 and case["expect"]["verdict"] == "valid"
    for _ in range(changes):
        other = rng.choice(cases)
        match rng.randrange(10):
            case 0 | 1 | 2 | 3 if case["headers"]:
                header = rng.choice(case["headers"])
                header[1] = written(changed(rng, bytes_of(header[1])))
            case 4 | 5:
                case["body"] = base64.b64encode(changed(rng, base64.b64decode(case["body"]))).decode()
            case 6:
                one_fault = False
                case["headers"] = copy.deepcopy(
                    rng.choice([case["headers"] + other["headers"][-1:], case["headers"][1:]])
                )
            case 7:
                one_fault = False
                part = rng.choice(["headers", "body", "secrets", "now"])
                case[part] = copy.deepcopy(other[part])
            case 8 if case.get("url"):
                url = changed(rng, case["url"].encode()).decode("latin-1")
                case["url"] = "".join(sign for sign in url if " " < sign < "\x7f")
            case _:
                case["now"] += rng.choice([-301, -300, -61, -60, -6, -5, -1, 1, 5, 6, 60, 61, 300, 301])
    return case, one_fault


def agree(found: dict[str, Any], expected: dict[str, Any], one_fault: bool) -> bool:
    """The same verdict, and the same proof; of several faults, either may name its own."""
    if not one_fault and "valid" not in (found.get("verdict"), expected["verdict"]):
        return "error" not in found
    return found == expected


def written(raw: bytes) -> dict[str, str]:
    """A header's value, whatever it is."""
    return {"base64": base64.b64encode(raw).decode()}


def main() -> int:
    """Asks both."""
    parser = argparse.ArgumentParser()
    parser.add_argument("player")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--scheme", action="append")
    asked = parser.parse_args()
    files = sorted(HERE.glob("*.json"))
    corpora = [json.loads(file.read_text()) for file in files if not asked.scheme or file.stem in asked.scheme]
    rng = random.Random(asked.seed)
    cases = [mutate(rng, rng.choice(corpora)) for _ in range(asked.runs)]
    lines = "".join(json.dumps(case) + "\n" for case, _ in cases)
    answers = subprocess.run(
        [asked.player], input=lines, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    verdicts: dict[str, int] = {}
    differing = 0
    for (case, one_fault), line in zip(cases, answers, strict=True):
        expected = play(case)
        verdicts[expected["verdict"]] = verdicts.get(expected["verdict"], 0) + 1
        for found in json.loads(line):
            if not agree(found, expected, one_fault):
                differing += 1
                if differing <= 20:
                    print(f"{case['scheme']}: {found}\n  the reference: {expected}\n  {json.dumps(case)[:3000]}")
                break
    print(f"{len(cases)} cases, seed {asked.seed}: {differing} differ; {dict(sorted(verdicts.items()))}")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
