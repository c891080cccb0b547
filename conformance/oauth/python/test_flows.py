"""Authlib, which nobody here wrote, completes each flow of each provider."""

from __future__ import annotations

import pytest
from authlib.integrations.base_client.errors import OAuthError
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError
from joserfc.jwk import KeySet
from provider import SHAPES, Provider

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
every = pytest.mark.parametrize("provider", list(SHAPES), indirect=True)


def those(**wanted: bool) -> pytest.MarkDecorator:
    """Providers that have all of these."""
    names = [
        name
        for name, shape in SHAPES.items()
        if all((getattr(shape, field) not in (None, False)) == value for field, value in wanted.items())
    ]
    return pytest.mark.parametrize("provider", names, indirect=True)


@every
def test_a_code_with_pkce_gives_a_token_that_says_who_the_user_is(provider: Provider) -> None:
    client = provider.client()
    token = provider.tokens(client)
    assert token["token_type"].lower() == "bearer"
    assert provider.user(client) == provider.shape.user


@every
def test_a_refresh_token_gives_new_tokens(provider: Provider) -> None:
    client = provider.client()
    first = dict(provider.tokens(client))
    second = client.refresh_token(provider.token_url, refresh_token=first["refresh_token"])
    assert second["access_token"] != first["access_token"]
    assert (second["refresh_token"] != first["refresh_token"]) == provider.shape.rotates
    assert provider.user(client) == provider.shape.user


@those(machine=True)
def test_a_machine_gets_a_token_of_its_own(provider: Provider) -> None:
    client = provider.client(scope="contacts:read")
    token = client.fetch_token(provider.token_url, grant_type="client_credentials")
    assert "refresh_token" not in token
    seen = client.get(f"{provider.gateway.url}/v1/whoami", headers={"X-Mock-Session": provider.session})
    assert seen.json()["scopes"] == ["contacts:read"]


@those(machine=False)
def test_a_provider_without_machines_says_so(provider: Provider) -> None:
    with pytest.raises(OAuthError, match="unsupported_grant_type"):
        provider.client(scope=None).fetch_token(provider.token_url, grant_type="client_credentials")


@those(device=True)
def test_a_device_gets_tokens_when_the_user_has_decided(provider: Provider) -> None:
    client = provider.client()
    who = {"client_id": provider.shape.client_id, "client_secret": "test-secret", "scope": provider.shape.scope}
    begun = client.request(
        "POST",
        provider.at(provider.shape.device),
        withhold_token=True,
        data=who,
        headers={"Accept": "application/json"},
    )
    begun.raise_for_status()
    device = begun.json()
    page = device["verification_url"] if provider.name == "google" else device["verification_uri"]
    assert provider.visit(page).status_code == 200

    def poll() -> dict[str, object]:
        polled: dict[str, object] = client.fetch_token(
            provider.token_url, grant_type=DEVICE, device_code=device["device_code"]
        )
        return polled

    with pytest.raises(OAuthError, match="authorization_pending"):
        poll()
    with pytest.raises(OAuthError, match="slow_down"):
        poll()
    provider.admin("clock", advance_ms=11_000)
    provider.admin("oauth/device", user_code=device["user_code"], decision="approve")
    assert poll()["access_token"]
    assert provider.user(client) == provider.shape.user


@those(device=True)
def test_a_device_that_the_user_refuses_gets_nothing(provider: Provider) -> None:
    client = provider.client()
    who = {"client_id": provider.shape.client_id, "client_secret": "test-secret"}
    begun = client.request(
        "POST",
        provider.at(provider.shape.device),
        withhold_token=True,
        data=who,
        headers={"Accept": "application/json"},
    )
    device = begun.json()
    provider.admin("oauth/device", user_code=device["user_code"], decision="deny")
    with pytest.raises(OAuthError, match="access_denied"):
        client.fetch_token(provider.token_url, grant_type=DEVICE, device_code=device["device_code"])


def discovered(provider: Provider) -> OpenIDProviderMetadata:
    issuer = provider.at(provider.shape.issuer)
    seen = provider.visit(f"{issuer}/.well-known/openid-configuration")
    metadata = OpenIDProviderMetadata(seen.json())
    metadata.validate()
    assert metadata["issuer"] == issuer
    return metadata


@those(issuer=True)
@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_an_id_token_is_what_the_metadata_and_keys_say(provider: Provider, alg: str) -> None:
    provider.admin("session", oauth={"id_token_alg": alg})
    metadata = discovered(provider)
    for endpoint, path in [("authorization_endpoint", "authorize"), ("token_endpoint", "token")]:
        assert metadata[endpoint] == provider.at(getattr(provider.shape, path))
    client = provider.client()
    token = provider.tokens(client, nonce="n-0S6_WzA2Mj", max_age="3600")
    keys = KeySet.import_key_set(provider.visit(metadata["jwks_uri"]).json())
    assert metadata["id_token_signing_alg_values_supported"][0] == alg
    decoded = jwt.decode(token["id_token"], keys, algorithms=[alg])
    assert decoded.header["alg"] == alg
    # LinkedIn repeats no nonce: whoever checks it cannot log in there.
    nonce = None if provider.name == "linkedin" else "n-0S6_WzA2Mj"
    claims = CodeIDToken(
        decoded.claims,
        decoded.header,
        options={
            "iss": {"essential": True, "value": metadata["issuer"]},
            "aud": {"essential": True, "value": provider.shape.client_id},
            "at_hash": {"essential": True},
            "auth_time": {"essential": True},
        },
        params={
            "nonce": nonce,
            "client_id": provider.shape.client_id,
            "access_token": token["access_token"],
            "max_age": 3600,
        },
    )
    claims.validate(leeway=5)
    assert claims["sub"] == provider.shape.user == provider.user(client)
    if nonce is None:
        assert "nonce" not in claims


@those(issuer=True)
def test_keys_overlap_when_they_rotate(provider: Provider) -> None:
    metadata = discovered(provider)

    def keys() -> KeySet:
        return KeySet.import_key_set(provider.visit(metadata["jwks_uri"]).json())

    old = provider.tokens(provider.client())["id_token"]
    provider.admin("oauth/rotate-keys")
    new = provider.tokens(provider.client())["id_token"]
    both = keys()
    assert jwt.decode(old, both).header["kid"] != jwt.decode(new, both).header["kid"]
    provider.admin("clock", advance_ms=86_400_000)
    later = keys()
    assert jwt.decode(new, later).claims["sub"] == provider.shape.user
    with pytest.raises(InvalidKeyIdError):
        jwt.decode(old, later)


@those(issuer=False)
def test_a_provider_without_openid_connect_publishes_nothing(provider: Provider) -> None:
    for path in ["/.well-known/openid-configuration", "/jwks"]:
        assert provider.visit(provider.at(path)).status_code == 404
    assert "id_token" not in provider.tokens(provider.client())


@those(introspect=True)
def test_introspection_tells_a_token_until_it_is_revoked(provider: Provider) -> None:
    client = provider.client()
    token = provider.tokens(client)

    def active() -> bool:
        seen = client.introspect_token(provider.at(provider.shape.introspect), token=token["access_token"])
        answer: bool = seen.json()["active"]
        return answer

    assert active()
    assert client.revoke_token(provider.at(provider.shape.revoke), token=token["refresh_token"]).status_code == 200
    assert not active()


@those(revoke=True)
def test_a_revoked_token_is_of_no_use(provider: Provider) -> None:
    client = provider.client()
    token = provider.tokens(client)
    revoked = client.revoke_token(provider.at(provider.shape.revoke), token=token["access_token"])
    assert revoked.status_code == 200
    assert client.get(provider.at(provider.shape.userinfo)).status_code == 401
