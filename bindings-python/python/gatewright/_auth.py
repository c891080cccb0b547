"""Credentials."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Bearer:
    """``Authorization: Bearer …``."""

    token: str = field(repr=False)

    def _parts(self) -> tuple[str, ...]:
        return ("bearer", self.token)


@dataclass(frozen=True)
class Basic:
    """``Authorization: Basic …``."""

    user: str
    password: str = field(repr=False)

    def _parts(self) -> tuple[str, ...]:
        return ("basic", self.user, self.password)


@dataclass(frozen=True)
class ApiKey:
    """An API key in a header (the default, ``X-API-Key``), a query parameter or a cookie."""

    key: str = field(repr=False)
    header: str | None = None
    query: str | None = None
    cookie: str | None = None

    def _parts(self) -> tuple[str, ...]:
        given = [("header", self.header), ("query", self.query), ("cookie", self.cookie)]
        places = [(kind, name) for kind, name in given if name is not None] or [("header", "x-api-key")]
        if len(places) > 1:
            raise TypeError("an ApiKey goes to one place: header=, query= or cookie=")
        kind, name = places[0]
        return (kind, name, self.key)


@dataclass(frozen=True)
class Token:
    """What a token callback gives: a token, and how many seconds it is good (``None``: until it is refused)."""

    value: str = field(repr=False)
    expires_in: float | None = None


TokenAnswer = str | tuple[str, float | None] | Token
"""What a token callback may give."""

TokenCallback = Callable[[], TokenAnswer]
"""Gives a token: before the first request, ahead of its expiry, and once more after a 401."""

AsyncTokenCallback = Callable[[], TokenAnswer | Awaitable[TokenAnswer]]
"""The same, asynchronous or not."""

Auth = str | tuple[str, str] | Bearer | Basic | ApiKey | TokenCallback
"""A bearer token as it is, ``(user, password)``, a credential, or a callable that gives tokens."""

AsyncAuth = str | tuple[str, str] | Bearer | Basic | ApiKey | AsyncTokenCallback
"""The same; the callable may be asynchronous."""

Credential = Bearer | Basic | ApiKey | AsyncTokenCallback
"""What ``repr`` and tracebacks may show: a credential that hides its secret, or a callable."""


def credential(auth: AsyncAuth) -> Credential:
    """Wraps plain secrets, so that no frame of this package has one in a variable that a traceback could show."""
    if isinstance(auth, str):
        return Bearer(auth)
    if isinstance(auth, (Bearer, Basic, ApiKey)) or callable(auth):
        return auth
    try:
        user, password = auth
    except (TypeError, ValueError):
        kind = type(auth).__name__
        raise TypeError(
            f"auth= takes a str, (user, password), Bearer, Basic, ApiKey or a callable, not this {kind}"
        ) from None
    return Basic(user, password)
