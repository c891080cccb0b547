"""Credentials."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Union


@dataclass(frozen=True)
class Bearer:
    """``Authorization: Bearer …``."""

    token: str = field(repr=False)


@dataclass(frozen=True)
class Basic:
    """``Authorization: Basic …``."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class ApiKey:
    """An API key in a header (the default, ``X-API-Key``), a query parameter or a cookie."""

    key: str = field(repr=False)
    header: str | None = None
    query: str | None = None
    cookie: str | None = None


@dataclass(frozen=True)
class Token:
    """What a token callback gives: a token, and how many seconds it is good (``None``: until it is refused)."""

    value: str = field(repr=False)
    expires_in: float | None = None


TokenAnswer = Union[str, "tuple[str, float | None]", Token]
"""What a token callback may give."""

Auth = Union[
    str,
    "tuple[str, str]",
    Bearer,
    Basic,
    ApiKey,
    Callable[[], "TokenAnswer | Awaitable[TokenAnswer]"],
]
"""A bearer token as it is, ``(user, password)``, a credential, or a callable that gives tokens."""


def parts_of(auth: Auth | None) -> tuple[Any, ...]:
    """The credential as the native module takes it: a name, and its parts."""
    if auth is None:
        return ("none",)
    if isinstance(auth, str):
        return ("bearer", auth)
    if isinstance(auth, Bearer):
        return ("bearer", auth.token)
    if isinstance(auth, Basic):
        return ("basic", auth.user, auth.password)
    if isinstance(auth, ApiKey):
        given = [("header", auth.header), ("query", auth.query), ("cookie", auth.cookie)]
        places = [(kind, name) for kind, name in given if name is not None] or [("header", "x-api-key")]
        if len(places) > 1:
            raise TypeError("an ApiKey goes to one place: header=, query= or cookie=")
        kind, name = places[0]
        return (kind, name, auth.key)
    if isinstance(auth, tuple) and len(auth) == 2:
        user, password = auth
        return ("basic", user, password)
    if callable(auth):
        return ("callback", auth)
    raise TypeError(
        f"auth= takes a str, (user, password), Bearer, Basic, ApiKey or a callable, not {type(auth).__name__}"
    )
