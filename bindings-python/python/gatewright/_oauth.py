"""OAuth 2 and signatures."""

from __future__ import annotations

from gatewright._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from os import PathLike
    from typing import Any, Literal

    from gatewright._token_store import AnyTokenStore

    Pairs = Mapping[str, str] | Sequence[tuple[str, str]]
    """Names and values, as a mapping or as pairs."""


def _frozen(value: Any) -> Any:
    """Lists and mappings as tuples, so that a value can be compared and never changes. What is neither stays."""
    if hasattr(value, "items"):
        value = value.items()
    return value if value is None or isinstance(value, str) or not hasattr(value, "__iter__") else tuple(value)


def _again(kind: type[_Settings], given: dict[str, Any]) -> _Settings:
    return kind(**given)


class _Settings(Value):
    """A value of many parts, of which it shows those that were given."""

    __slots__: tuple[str, ...] = ()

    def _given(self) -> dict[str, Any]:
        parts = {name: getattr(self, name) for name in self.__slots__}
        return {name: part for name, part in parts.items() if part is not None}

    def __repr__(self) -> str:
        shown = [f"{name}={part!r}" for name, part in self._given().items() if name not in self._hidden]
        return f"{type(self).__name__}({', '.join(shown)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_again, (type(self), self._given()))


class HmacSignature(_Settings):
    """A signature of a scheme of a provider's own: an HMAC of a text, made anew for each attempt.

    Places of the templates: ``{method}``, ``{scheme}``, ``{host}``, ``{path}``, ``{query}``, ``{sorted_query}``,
    ``{path_and_query}``, ``{url}``, ``{timestamp}``, ``{timestamp_ms}``, ``{nonce}``, ``{key_id}``, ``{body_sha256}``,
    ``{body_sha256_base64}``, ``{body}``, ``{header:NAME}``; in headers also ``{signature}``.
    """

    __slots__ = (  # noqa: RUF023 - in the order of the arguments
        "key_id",
        "secret",
        "algorithm",
        "encoding",
        "text",
        "headers",
        "unsigned_streams",
    )
    _hidden = ("secret",)

    key_id: str
    """The name of the key."""
    secret: str
    """The secret that both sides have."""
    algorithm: Literal["sha256", "sha512"] | None
    """The hash; SHA-256 where it is not given."""
    encoding: Literal["base64", "base64url", "hex"] | None
    """How the signature is written; Base64 where it is not given."""
    text: str | None
    """The template of what is signed."""
    headers: tuple[tuple[str, str], ...] | None
    """The headers that are sent, and their templates."""
    unsigned_streams: str | None
    """What stands for the digest of a body that is a stream; without it, such a request is refused."""

    def __init__(
        self,
        key_id: str,
        secret: str,
        *,
        algorithm: Literal["sha256", "sha512"] | None = None,
        encoding: Literal["base64", "base64url", "hex"] | None = None,
        text: str | None = None,
        headers: Pairs | None = None,
        unsigned_streams: str | None = None,
    ) -> None:
        self._set(
            key_id=key_id,
            secret=secret,
            algorithm=algorithm,
            encoding=encoding,
            text=text,
            headers=_frozen(headers),
            unsigned_streams=unsigned_streams,
        )

    def _parts(self) -> tuple[str, dict[str, Any]]:
        return ("hmac", self._given())


class HttpSignature(_Settings):
    """An HTTP Message Signature (RFC 9421), made anew for each attempt."""

    __slots__ = (  # noqa: RUF023 - in the order of the arguments
        "key_id",
        "key",
        "secret",
        "components",
        "label",
        "tag",
        "expires",
        "nonce",
        "name_algorithm",
        "digest",
        "unsigned_streams",
    )
    _hidden = ("key", "secret")

    key_id: str
    """The name of the key."""
    key: str | None
    """The private key in PEM: Ed25519, P-256 or RSA."""
    secret: bytes | None
    """In place of a key: the secret of HMAC-SHA256, as bytes."""
    components: tuple[str, ...] | None
    """What is signed; ``@method``, ``@target-uri`` and ``content-digest`` where it is not given."""
    label: str | None
    """The signature's label; ``sig1`` where it is not given."""
    tag: str | None
    """The parameter ``tag``."""
    expires: float | None
    """How many seconds a signature is good; it does not say where that is not given."""
    nonce: bool | None
    """Whether there is a nonce; there is where it is not given."""
    name_algorithm: bool | None
    """Whether the algorithm is named; it is where it is not given."""
    digest: Literal["sha256", "sha512"] | None
    """The hash of ``Content-Digest``; SHA-256 where it is not given."""
    unsigned_streams: bool | None
    """Whether a body that is a stream goes without a digest; where it is not given, such a request is refused."""

    def __init__(
        self,
        key_id: str,
        *,
        key: str | None = None,
        secret: bytes | None = None,
        components: Iterable[str] | None = None,
        label: str | None = None,
        tag: str | None = None,
        expires: float | None = None,
        nonce: bool | None = None,
        name_algorithm: bool | None = None,
        digest: Literal["sha256", "sha512"] | None = None,
        unsigned_streams: bool | None = None,
    ) -> None:
        self._set(
            key_id=key_id,
            key=key,
            secret=secret,
            components=_frozen(components),
            label=label,
            tag=tag,
            expires=expires,
            nonce=nonce,
            name_algorithm=name_algorithm,
            digest=digest,
            unsigned_streams=unsigned_streams,
        )

    def _parts(self) -> tuple[str, dict[str, Any]]:
        return ("http_signature", self._given())


class Dpop(_Settings):
    """A token that is bound to a key (RFC 9449): ``Authorization: DPoP``, and a proof that is new with each attempt."""

    __slots__ = ("token", "key")  # noqa: RUF023 - in the order of the arguments
    _hidden = ("token", "key")

    token: str
    """The token."""
    key: str
    """The private key in PEM: P-256, Ed25519 or RSA."""

    def __init__(self, token: str, key: str) -> None:
        self._set(token=token, key=key)

    def _parts(self) -> tuple[str, dict[str, Any]]:
        return ("dpop", self._given())


class OAuth(_Settings):
    """OAuth 2: tokens are fetched when they are needed, renewed before they expire, and once after a 401."""

    __slots__ = (  # noqa: RUF023 - in the order of the arguments
        "client_id",
        "issuer",
        "token_url",
        "authorization_url",
        "device_authorization_url",
        "revocation_url",
        "client_secret",
        "client_auth",
        "client_key",
        "client_key_id",
        "grant",
        "scopes",
        "audience",
        "resources",
        "refresh_token",
        "token_file",
        "token_store",
        "parameters",
        "headers",
        "allow_http",
        "timeout",
        "dpop_key",
        "sign",
    )
    _hidden = ("client_secret", "client_key", "refresh_token", "token_store", "parameters", "headers", "dpop_key")

    client_id: str
    """The client's name."""
    issuer: str | None
    """The server, whose metadata say where tokens are."""
    token_url: str | None
    """Where tokens are, in place of the issuer."""
    authorization_url: str | None
    """Where users log in; by default as the issuer's metadata say."""
    device_authorization_url: str | None
    """Where logins on another device begin; by default as the issuer's metadata say."""
    revocation_url: str | None
    """Where tokens are revoked; by default as the issuer's metadata say."""
    client_secret: str | None
    """The client's secret."""
    client_auth: Literal["basic", "post", "none", "private_key_jwt"] | None
    """How the client says who it is; Basic with a secret, a signed assertion with a key, else its name alone."""
    client_key: str | None
    """The client's private key in PEM, for ``private_key_jwt``."""
    client_key_id: str | None
    """The name of that key."""
    grant: Literal["client_credentials", "login"] | None
    """Whether the client speaks for itself, or for somebody who logged in (a refresh token). Where it is not given: for
    itself, with a secret or key and neither ``refresh_token`` nor a place where tokens are kept."""
    scopes: tuple[str, ...] | None
    """What is asked for."""
    audience: str | None
    """Whom the tokens are for, as some servers call it."""
    resources: tuple[str, ...] | None
    """Whom the tokens are for (RFC 8707)."""
    refresh_token: str | None
    """The refresh token to begin with; one that is kept already wins."""
    token_file: str | PathLike[str] | None
    """The file that keeps tokens, which processes may share; without it they are in memory."""
    token_store: AnyTokenStore | None
    """An object of one's own that keeps tokens, in place of a file."""
    parameters: tuple[tuple[str, str], ...] | None
    """Further parameters of token requests."""
    headers: tuple[tuple[str, str], ...] | None
    """Headers of token requests."""
    allow_http: bool | None
    """Whether the server may be at an http address that is not this machine."""
    timeout: float | None
    """Seconds for a token request; 30 where it is not given."""
    dpop_key: str | None
    """The private key in PEM that tokens are bound to (RFC 9449)."""
    sign: HmacSignature | HttpSignature | None
    """A signature that goes along."""

    def __init__(
        self,
        client_id: str,
        *,
        issuer: str | None = None,
        token_url: str | None = None,
        authorization_url: str | None = None,
        device_authorization_url: str | None = None,
        revocation_url: str | None = None,
        client_secret: str | None = None,
        client_auth: Literal["basic", "post", "none", "private_key_jwt"] | None = None,
        client_key: str | None = None,
        client_key_id: str | None = None,
        grant: Literal["client_credentials", "login"] | None = None,
        scopes: Iterable[str] | None = None,
        audience: str | None = None,
        resources: Iterable[str] | None = None,
        refresh_token: str | None = None,
        token_file: str | PathLike[str] | None = None,
        token_store: AnyTokenStore | None = None,
        parameters: Pairs | None = None,
        headers: Pairs | None = None,
        allow_http: bool | None = None,
        timeout: float | None = None,
        dpop_key: str | None = None,
        sign: HmacSignature | HttpSignature | None = None,
    ) -> None:
        self._set(
            client_id=client_id,
            issuer=issuer,
            token_url=token_url,
            authorization_url=authorization_url,
            device_authorization_url=device_authorization_url,
            revocation_url=revocation_url,
            client_secret=client_secret,
            client_auth=client_auth,
            client_key=client_key,
            client_key_id=client_key_id,
            grant=grant,
            scopes=_frozen(scopes),
            audience=audience,
            resources=_frozen(resources),
            refresh_token=refresh_token,
            token_file=token_file,
            token_store=token_store,
            parameters=_frozen(parameters),
            headers=_frozen(headers),
            allow_http=allow_http,
            timeout=timeout,
            dpop_key=dpop_key,
            sign=sign,
        )

    def _parts(self) -> tuple[str, dict[str, Any]]:
        return ("oauth", self._given())
