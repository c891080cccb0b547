"""The providers as their documentation describes them to Authlib, with the gateway's prefix in place of their hosts."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from authlib.integrations.requests_client import OAuth2Session

CALLBACK = "http://127.0.0.1:8799/callback"


@dataclass(frozen=True)
class Gateway:
    url: str
    admin_url: str
    ca_file: str


@dataclass(frozen=True)
class Shape:
    """What a client has to know of a provider."""

    authorize: str
    token: str
    userinfo: str
    scope: str
    user: str
    issuer: str | None = None
    device: str | None = None
    revoke: str | None = None
    introspect: str | None = None
    machine: bool = False
    rotates: bool = False
    auth: str = "client_secret_basic"
    client_id: str = "test-client"
    more: tuple[tuple[str, str], ...] = ()


SHAPES = {
    "generic": Shape(
        authorize="/authorize",
        token="/token",
        userinfo="/userinfo",
        scope="openid profile email offline_access",
        user="us_000001",
        issuer="",
        device="/device_authorization",
        revoke="/revoke",
        introspect="/introspect",
        machine=True,
        rotates=True,
    ),
    "google": Shape(
        authorize="/o/oauth2/v2/auth",
        token="/token",
        userinfo="/v1/userinfo",
        scope="openid profile email",
        user="100000000000000000001",
        issuer="",
        device="/device/code",
        revoke="/revoke",
        auth="client_secret_post",
        more=(("access_type", "offline"), ("prompt", "consent")),
    ),
    "github": Shape(
        authorize="/login/oauth/authorize",
        token="/login/oauth/access_token",
        userinfo="/user",
        scope="read:user user:email",
        user="1",
        device="/login/device/code",
        rotates=True,
        auth="client_secret_post",
        client_id="Iv1.github-app",
    ),
    "linkedin": Shape(
        authorize="/oauth/v2/authorization",
        token="/oauth/v2/accessToken",
        userinfo="/v2/userinfo",
        scope="openid profile email",
        user="tU0000001x",
        issuer="/oauth",
        revoke="/oauth/v2/revoke",
        introspect="/oauth/v2/introspectToken",
        machine=True,
        auth="client_secret_post",
    ),
    "twitter": Shape(
        authorize="/i/oauth2/authorize",
        token="/2/oauth2/token",
        userinfo="/2/users/me",
        scope="tweet.read users.read offline.access",
        user="1000000000000000001",
        revoke="/2/oauth2/revoke",
        machine=True,
        rotates=True,
    ),
}


class Provider:
    """One provider of one session of the gateway."""

    def __init__(self, gateway: Gateway, session: str, name: str) -> None:
        self.gateway = gateway
        self.session = session
        self.name = name
        self.shape = SHAPES[name]
        self.root = f"{gateway.url}/oauth/{name}~{session}"

    def at(self, path: str | None) -> str:
        assert path is not None, f"{self.name} has no such endpoint"
        return self.root + path

    @property
    def token_url(self) -> str:
        return self.at(self.shape.token)

    def client(self, **changes: Any) -> OAuth2Session:
        """Authlib's client, set up for this provider; `changes` are misuses of it."""
        settings: dict[str, Any] = {
            "client_id": self.shape.client_id,
            "client_secret": "test-secret",
            "scope": self.shape.scope,
            "redirect_uri": CALLBACK,
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": self.shape.auth,
        }
        client = OAuth2Session(**{**settings, **changes})
        client.verify = self.gateway.ca_file
        # REQUESTS_CA_BUNDLE of the machine would win over `verify` of a session.
        client.trust_env = False
        return client

    def visit(self, url: str) -> requests.Response:
        """What a browser gets at this address; redirects are not followed."""
        return requests.get(url, allow_redirects=False, verify=self.gateway.ca_file, timeout=20)

    def sent_back(self, client: OAuth2Session, **more: str) -> tuple[str, str]:
        """Where the user is sent back to, and the code verifier."""
        verifier = secrets.token_urlsafe(48)
        asked = {**dict(self.shape.more), **more}
        url, _ = client.create_authorization_url(self.at(self.shape.authorize), code_verifier=verifier, **asked)
        seen = self.visit(url)
        assert seen.status_code == 302, seen.text
        return seen.headers["Location"], verifier

    def tokens(self, client: OAuth2Session, **more: str) -> dict[str, Any]:
        """A whole login: authorization code with PKCE."""
        back, verifier = self.sent_back(client, **more)
        state = parse_qs(urlsplit(back).query)["state"][0]
        return client.fetch_token(self.token_url, authorization_response=back, state=state, code_verifier=verifier)

    def user(self, client: OAuth2Session) -> str:
        """The user's id, as the provider's userinfo endpoint says it."""
        seen = client.get(self.at(self.shape.userinfo))
        seen.raise_for_status()
        info = seen.json()
        info = info.get("data", info)
        return str(info.get("sub", info.get("id")))

    def admin(self, path: str, **body: Any) -> dict[str, Any]:
        url = f"{self.gateway.admin_url}/admin/{path}?session={self.session}"
        seen = requests.post(url, json=body, timeout=20)
        seen.raise_for_status()
        answer: dict[str, Any] = seen.json()
        return answer
