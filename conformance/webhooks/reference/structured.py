"""Structured fields (RFC 9651), as far as HTTP Message Signatures need them: dictionaries, inner lists, parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass

from . import strict

Bare = int | str | bytes | bool
Parameters = list[tuple[str, "Bare | Token"]]

KEY = re.compile(r"[a-z*][a-z0-9_.*-]*")
INTEGER = re.compile(r"-?[0-9]{1,15}(?![0-9.])")
STRING = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
BYTES = re.compile(r":([A-Za-z0-9+/=]*):")
TOKEN = re.compile(r"[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*")


class Malformed(ValueError):  # noqa: N818 - a verdict, not a fault
    """No structured field."""


@dataclass(frozen=True)
class Token:
    """A token, which is not the same as the string with its letters."""

    text: str


@dataclass(frozen=True)
class Inner:
    """An inner list of strings with their parameters, and the parameters of the list."""

    items: list[tuple[str, Parameters]]
    parameters: Parameters


class Reader:
    """Reads a text from its beginning."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """What fits here, which is then read."""
        found = pattern.match(self.text, self.at)
        if found:
            self.at = found.end()
        return found

    def skip(self, signs: str) -> bool:
        """Passes over any of these."""
        start = self.at
        while self.text[self.at : self.at + 1] and self.text[self.at] in signs:
            self.at += 1
        return self.at > start

    def expect(self, sign: str) -> None:
        """Reads this."""
        if not self.text.startswith(sign, self.at):
            raise Malformed(sign)
        self.at += len(sign)

    def bare(self) -> Bare | Token:
        """An item without its parameters."""
        if found := self.take(STRING):
            return re.sub(r"\\(.)", r"\1", found[1])
        if found := self.take(BYTES):
            decoded = strict.unbase64(found[1].encode())
            if decoded is None:
                raise Malformed("base64")
            return decoded
        if found := self.take(INTEGER):
            return int(found[0])
        if found := self.take(re.compile(r"\?([01])")):
            return found[1] == "1"
        if found := self.take(TOKEN):
            return Token(found[0])
        raise Malformed("item")

    def parameters(self) -> Parameters:
        """What follows semicolons. A name that is there twice counts as it was last."""
        found: dict[str, Bare | Token] = {}
        while self.text.startswith(";", self.at):
            self.at += 1
            self.skip(" ")
            key = self.take(KEY)
            if not key:
                raise Malformed("parameter")
            value: Bare | Token = True
            if self.text.startswith("=", self.at):
                self.at += 1
                value = self.bare()
            found.pop(key[0], None)
            found[key[0]] = value
        return list(found.items())

    def inner(self) -> Inner:
        """An inner list, of strings alone."""
        self.expect("(")
        items: list[tuple[str, Parameters]] = []
        while True:
            spaced = self.skip(" ") or not items
            if self.text.startswith(")", self.at):
                self.at += 1
                return Inner(items, self.parameters())
            if not spaced:
                raise Malformed("no space between items")
            item = self.bare()
            if not isinstance(item, str):
                raise Malformed("no string")
            items.append((item, self.parameters()))


def dictionary(text: str) -> dict[str, Inner | Bare | Token]:
    """A dictionary. A name that is there twice counts as it was last."""
    reader = Reader(text.strip(" "))
    found: dict[str, Inner | Bare | Token] = {}
    while reader.at < len(reader.text):
        key = reader.take(KEY)
        if not key:
            raise Malformed("key")
        value: Inner | Bare | Token = True
        if reader.text.startswith("=", reader.at):
            reader.at += 1
            if reader.text.startswith("(", reader.at):
                value = reader.inner()
            else:
                value = reader.bare()
                reader.parameters()
        else:
            reader.parameters()
        found.pop(key[0], None)
        found[key[0]] = value
        reader.skip(" \t")
        if reader.at == len(reader.text):
            return found
        reader.expect(",")
        reader.skip(" \t")
        if reader.at == len(reader.text):
            raise Malformed("ends with a comma")
    return found


def written(value: Bare | Token) -> str:
    """An item as it is serialised."""
    if isinstance(value, bool):
        return "?1" if value else "?0"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Token):
        return value.text
    if isinstance(value, bytes):
        raise Malformed("bytes have no place here")
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def written_parameters(parameters: Parameters) -> str:
    """Parameters as they are serialised: `true` is the name alone."""
    return "".join(f";{name}" if value is True else f";{name}={written(value)}" for name, value in parameters)


def written_inner(inner: Inner) -> str:
    """An inner list as it is serialised."""
    items = " ".join(written(item) + written_parameters(parameters) for item, parameters in inner.items)
    return f"({items}){written_parameters(inner.parameters)}"
