"""Credentials."""

from __future__ import annotations

from gatewright._oauth import Dpop, HmacSignature, HttpSignature, OAuth
from gatewright._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Bearer(Value):
    """``Authorization: Bearer …``, with a token or a callable that gives tokens."""

    __slots__ = ("token", "sign")  # noqa: RUF023 - in the order of the arguments
    _hidden = ("token",)

    token: str | AsyncTokenCallback
    """The token, or what gives tokens (see :class:`Token`); asynchronous with ``AsyncClient`` only."""
    sign: HmacSignature | HttpSignature | None
    """A signature that goes along."""

    def __init__(self, token: str | AsyncTokenCallback, sign: HmacSignature | HttpSignature | None = None) -> None:
        self._set(token=token, sign=sign)

    def _parts(self) -> tuple[str, str | AsyncTokenCallback]:
        return ("callback" if callable(self.token) else "bearer", self.token)


class Basic(Value):
    """``Authorization: Basic …``."""

    __slots__ = ("user", "password", "sign")  # noqa: RUF023 - in the order of the arguments
    _hidden = ("password",)

    user: str
    """The user."""
    password: str
    """The password."""
    sign: HmacSignature | HttpSignature | None
    """A signature that goes along."""

    def __init__(self, user: str, password: str, sign: HmacSignature | HttpSignature | None = None) -> None:
        self._set(user=user, password=password, sign=sign)

    def _parts(self) -> tuple[str, ...]:
        return ("basic", self.user, self.password)


class ApiKey(Value):
    """An API key in a header (the default, ``X-API-Key``), a query parameter or a cookie."""

    __slots__ = ("key", "header", "query", "cookie", "sign")  # noqa: RUF023 - in the order of the arguments
    _hidden = ("key",)

    key: str
    """The key."""
    header: str | None
    """The header it goes to."""
    query: str | None
    """The query parameter it goes to."""
    cookie: str | None
    """The cookie it goes to."""
    sign: HmacSignature | HttpSignature | None
    """A signature that goes along."""

    def __init__(
        self,
        key: str,
        header: str | None = None,
        query: str | None = None,
        cookie: str | None = None,
        sign: HmacSignature | HttpSignature | None = None,
    ) -> None:
        self._set(key=key, header=header, query=query, cookie=cookie, sign=sign)

    def _parts(self) -> tuple[str, ...]:
        given = [("header", self.header), ("query", self.query), ("cookie", self.cookie)]
        places = [(kind, name) for kind, name in given if name is not None] or [("header", "x-api-key")]
        if len(places) > 1:
            raise TypeError("an ApiKey goes to one place: header=, query= or cookie=")
        kind, name = places[0]
        return (kind, name, self.key)


class Token(Value):
    """What a token callback gives: a token, and how many seconds it is good (``None``: until it is refused)."""

    __slots__ = ("value", "expires_in")  # noqa: RUF023 - in the order of the arguments
    _hidden = ("value",)

    value: str
    """The token."""
    expires_in: float | None
    """Seconds from now."""

    def __init__(self, value: str, expires_in: float | None = None) -> None:
        self._set(value=value, expires_in=expires_in)


if TYPE_CHECKING:
    TokenAnswer = str | tuple[str, float | None] | Token
    """What a token callback may give."""

    TokenCallback = Callable[[], TokenAnswer]
    """Gives a token: before the first request, ahead of its expiry, and once more after a 401."""

    AsyncTokenCallback = Callable[[], TokenAnswer | Awaitable[TokenAnswer]]
    """The same, asynchronous or not."""

    Named = Bearer | Basic | ApiKey | OAuth | HmacSignature | HttpSignature | Dpop
    """A credential that hides its secret."""

    Auth = str | tuple[str, str] | Named | TokenCallback
    """A bearer token as it is, ``(user, password)``, a credential, or a callable that gives tokens."""

    AsyncAuth = str | tuple[str, str] | Named | AsyncTokenCallback
    """The same; the callable may be asynchronous."""

    Credential = Named | AsyncTokenCallback
    """What ``repr`` and tracebacks may show: a credential that hides its secret, or a callable."""


def credential(auth: AsyncAuth) -> Credential:
    """Wraps plain secrets, so that no frame of this package has one in a variable that a traceback could show."""
    if isinstance(auth, str):
        return Bearer(auth)
    if isinstance(auth, (Bearer, Basic, ApiKey, OAuth, HmacSignature, HttpSignature, Dpop)) or callable(auth):
        return auth
    try:
        user, password = auth
    except (TypeError, ValueError):
        kind = type(auth).__name__
        raise TypeError(
            "auth= takes a str, (user, password), Bearer, Basic, ApiKey, OAuth, HmacSignature, HttpSignature, Dpop or "
            f"a callable, not this {kind}"
        ) from None
    return Basic(user, password)
