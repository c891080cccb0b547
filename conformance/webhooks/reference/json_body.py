"""JSON of which only some members are signed, or which says itself when it was sent."""

from __future__ import annotations

import json
from typing import Any

from .verdict import Refused


def parse(body: bytes) -> dict[str, Any]:
    """An object without two members of one name: of these, two parsers may take different ones."""

    def no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a name is there twice")
        return found

    def no_constant(name: str) -> Any:
        raise ValueError(f"{name} is no JSON")

    try:
        value = json.loads(body.decode(), object_pairs_hook=no_duplicates, parse_constant=no_constant)
    except (ValueError, RecursionError):
        raise Refused("body_malformed") from None
    if not isinstance(value, dict):
        raise Refused("body_malformed")
    return value


def text(members: dict[str, Any], name: str) -> str:
    """A member that must be there and be text which bytes can be made of."""
    value = members.get(name)
    if not isinstance(value, str):
        raise Refused("body_malformed")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Refused("body_malformed") from None
    return value
