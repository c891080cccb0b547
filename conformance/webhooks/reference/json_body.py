"""JSON of which only some members are signed, or which says itself when it was sent."""

from __future__ import annotations

import json
from typing import Any

from .verdict import Refused


class Members(dict[str, Any]):
    """An object, which remembers the names that are there twice: of these, two parsers may take different members."""

    twice: frozenset[str] = frozenset()

    def once(self, *names: str) -> Members:
        """Refuses an object in which one of these is there twice."""
        if self.twice.intersection(names):
            raise Refused("body_malformed")
        return self


def _members(pairs: list[tuple[str, Any]]) -> Members:
    found = Members(pairs)
    names = [name for name, _ in pairs]
    found.twice = frozenset(name for name in names if names.count(name) > 1)
    return found


def parse(body: bytes) -> Members:
    """The object that a body is."""

    def no_constant(name: str) -> Any:
        raise ValueError(f"{name} is no JSON")

    try:
        value = json.loads(body.decode(), object_pairs_hook=_members, parse_constant=no_constant)
    except (ValueError, RecursionError):
        raise Refused("body_malformed") from None
    if not isinstance(value, Members):
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
