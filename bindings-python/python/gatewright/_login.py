"""Logging in and out by OAuth: by a browser (with PKCE; the redirect comes to this machine or another), or on another
device.
"""

from __future__ import annotations

from gatewright import _native
from gatewright._awaiting import result
from gatewright._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatewright._native import AsyncCore, NativeLogin, SyncCore

    Told = tuple[str, str | None, float | None, str, str | None, str | None]


class Tokens(Value):
    """What a login brought. The client keeps it by itself; nothing has to be done with this."""

    __slots__ = (  # noqa: RUF023 - in the order of the arguments
        "token_type",
        "scope",
        "expires_in",
        "access_token",
        "refresh_token",
        "id_token",
    )
    _hidden = ("access_token", "refresh_token", "id_token")

    token_type: str
    """``Bearer`` or ``DPoP``."""
    scope: str | None
    """The scopes, where the server said them."""
    expires_in: float | None
    """Seconds for which the access token is good, from when it was given."""
    access_token: str
    """The token for requests."""
    refresh_token: str | None
    """What gets the next one."""
    id_token: str | None
    """The ID token of OpenID Connect. Its signature is not checked: do not trust it for more than showing a name."""

    def __init__(
        self,
        token_type: str,
        scope: str | None,
        expires_in: float | None,
        access_token: str,
        refresh_token: str | None,
        id_token: str | None,
    ) -> None:
        self._set(
            token_type=token_type,
            scope=scope,
            expires_in=expires_in,
            access_token=access_token,
            refresh_token=refresh_token,
            id_token=id_token,
        )


class _Browser:
    """What a login by a browser shows."""

    def __init__(self, native: NativeLogin) -> None:
        self._native = native

    @property
    def url(self) -> str:
        """Where the user's browser goes."""
        return self._native.url or ""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class _Device:
    """What a login on another device shows."""

    def __init__(self, native: NativeLogin) -> None:
        self._native = native

    @property
    def user_code(self) -> str:
        """What the user types in there."""
        return self._native.user_code or ""

    @property
    def verification_uri(self) -> str:
        """Where the user goes."""
        return self._native.verification_uri or ""

    @property
    def verification_uri_complete(self) -> str | None:
        """The same with the code in it, for a QR code."""
        return self._native.verification_uri_complete

    @property
    def expires_in(self) -> float:
        """How many seconds the user had when the login began."""
        return self._native.expires_in or 0.0

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class Login(_Browser):
    """A login by a browser, whose redirect comes to your own server."""

    def finish(self, redirect: str) -> Tokens:
        """Ends it by the URL with which the user came back. The code is exchanged once, whatever happens.

        Raises :class:`TokenError` where the redirect is not that of this login, or the user or the server refused;
        :class:`OutcomeUnknownError` where the connection broke after the code was sent.
        """
        told: Told = self._native.end(redirect, 0.0)
        return Tokens(*told)


class LoopbackLogin(_Browser):
    """A login by a browser, whose redirect comes to this machine."""

    def wait(self, timeout: float = 300.0) -> Tokens:
        """Waits for the user to come back. Raises :class:`TokenError` where nobody did in time, and as
        :meth:`Login.finish`.

        :param timeout: Seconds that the user has.
        """
        told: Told = self._native.end(None, timeout)
        return Tokens(*told)


class DeviceLogin(_Device):
    """A login on another device."""

    def wait(self) -> Tokens:
        """Waits until the user has decided. Raises :class:`TokenError` where they refused or did not do it in time."""
        told: Told = self._native.end(None, 0.0)
        return Tokens(*told)


class OAuthFlow:
    """Logging in and out by the OAuth of a client, see :meth:`Client.oauth`."""

    def __init__(self, client: SyncCore, credential: str | None) -> None:
        self._client = client
        self._credential = credential

    def authorization(self, redirect_uri: str) -> Login:
        """Begins a login by a browser (authorization code with PKCE), whose redirect comes to a server of yours.

        :param redirect_uri: Where the user comes back to, as it is registered.
        """
        return Login(_native.begin_login(self._client, self._credential, "authorization", redirect_uri))

    def loopback(self) -> LoopbackLogin:
        """Begins a login by a browser whose redirect is taken on this machine (RFC 8252), at
        ``http://127.0.0.1:PORT/callback``: register ``http://127.0.0.1/callback``. Open ``url`` in the browser, then
        ``wait()``.
        """
        return LoopbackLogin(_native.begin_login(self._client, self._credential, "loopback", None))

    def device(self) -> DeviceLogin:
        """Begins a login on another device (RFC 8628): show ``user_code`` and ``verification_uri``, then ``wait()``."""
        return DeviceLogin(_native.begin_login(self._client, self._credential, "device", None))

    def revoke(self) -> None:
        """Logs out: revokes the refresh token (else the access token) and forgets both, even where the server cannot be
        asked.
        """
        _native.log_out(self._client, self._credential)


class AsyncLogin(_Browser):
    """A login by a browser, whose redirect comes to your own server."""

    async def finish(self, redirect: str) -> Tokens:
        """Ends it by the URL with which the user came back. The code is exchanged once, whatever happens.

        Raises :class:`TokenError` where the redirect is not that of this login, or the user or the server refused;
        :class:`OutcomeUnknownError` where the connection broke after the code was sent.
        """
        told: Told = await result(self._native.end(redirect, 0.0))
        return Tokens(*told)


class AsyncLoopbackLogin(_Browser):
    """A login by a browser, whose redirect comes to this machine."""

    async def wait(self, timeout: float = 300.0) -> Tokens:
        """Waits for the user to come back. Raises :class:`TokenError` where nobody did in time, and as
        :meth:`AsyncLogin.finish`. Cancelled, it ends the login.

        :param timeout: Seconds that the user has.
        """
        told: Told = await result(self._native.end(None, timeout))
        return Tokens(*told)


class AsyncDeviceLogin(_Device):
    """A login on another device."""

    async def wait(self) -> Tokens:
        """Waits until the user has decided. Raises :class:`TokenError` where they refused or did not do it in time.
        Cancelled, it ends the login.
        """
        told: Told = await result(self._native.end(None, 0.0))
        return Tokens(*told)


class AsyncOAuthFlow:
    """Logging in and out by the OAuth of a client, see :meth:`AsyncClient.oauth`."""

    def __init__(self, client: AsyncCore, credential: str | None) -> None:
        self._client = client
        self._credential = credential

    async def authorization(self, redirect_uri: str) -> AsyncLogin:
        """Begins a login by a browser (authorization code with PKCE), whose redirect comes to a server of yours.

        :param redirect_uri: Where the user comes back to, as it is registered.
        """
        return AsyncLogin(
            await result(_native.begin_login(self._client, self._credential, "authorization", redirect_uri))
        )

    async def loopback(self) -> AsyncLoopbackLogin:
        """Begins a login by a browser whose redirect is taken on this machine (RFC 8252), at
        ``http://127.0.0.1:PORT/callback``: register ``http://127.0.0.1/callback``. Open ``url`` in the browser, then
        ``wait()``.
        """
        return AsyncLoopbackLogin(await result(_native.begin_login(self._client, self._credential, "loopback", None)))

    async def device(self) -> AsyncDeviceLogin:
        """Begins a login on another device (RFC 8628): show ``user_code`` and ``verification_uri``, then ``wait()``."""
        return AsyncDeviceLogin(await result(_native.begin_login(self._client, self._credential, "device", None)))

    async def revoke(self) -> None:
        """Logs out: revokes the refresh token (else the access token) and forgets both, even where the server cannot be
        asked.
        """
        await result(_native.log_out(self._client, self._credential))
