"""What must be refused is, at each provider, with the codes of the RFCs, or with GitHub's own where it has its own."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.oauth2.rfc6749.errors import MismatchingStateException
from provider import SHAPES, Gateway, Provider

every = pytest.mark.parametrize("provider", list(SHAPES), indirect=True)


def error_of(back: str) -> str:
    return parse_qs(urlsplit(back).query)["error"][0]


@every
def test_pkce_cannot_be_left_out_or_weakened(provider: Provider) -> None:
    back, _ = provider.sent_back(provider.client(code_challenge_method=None))
    assert error_of(back) == "invalid_request"
    plain = {"code_challenge": "a" * 43, "code_challenge_method": "plain"}
    back, _ = provider.sent_back(provider.client(code_challenge_method=None), **plain)
    assert error_of(back) == "invalid_request"


@every
def test_a_code_needs_the_verifier_of_its_challenge(provider: Provider) -> None:
    code = "bad_verification_code" if provider.name == "github" else "invalid_grant"
    for verifier, expected in [("b" * 43, code), (None, "invalid_request")]:
        client = provider.client()
        back, _ = provider.sent_back(client)
        with pytest.raises(OAuthError, match=expected):
            client.fetch_token(provider.token_url, authorization_response=back, code_verifier=verifier)


@every
def test_a_code_is_good_once_and_its_reuse_ends_what_came_of_it(provider: Provider) -> None:
    client = provider.client()
    back, verifier = provider.sent_back(client)
    client.fetch_token(provider.token_url, authorization_response=back, code_verifier=verifier)
    assert provider.user(client) == provider.shape.user
    code = "bad_verification_code" if provider.name == "github" else "invalid_grant"
    with pytest.raises(OAuthError, match=code):
        provider.client().fetch_token(provider.token_url, authorization_response=back, code_verifier=verifier)
    assert client.get(provider.at(provider.shape.userinfo)).status_code == 401


@every
def test_a_redirect_uri_is_exact(provider: Provider) -> None:
    for uri in ["http://127.0.0.1:8799/callback/", "https://evil.example/callback"]:
        url, _ = provider.client(redirect_uri=uri).create_authorization_url(
            provider.at(provider.shape.authorize), code_verifier="c" * 43
        )
        seen = provider.visit(url)
        if provider.name == "github":
            # Told at the address that the client registered, never at the one it asked for.
            back = seen.headers["Location"]
            assert back.startswith("http://127.0.0.1/callback?")
            assert error_of(back) == "redirect_uri_mismatch"
        else:
            assert (seen.status_code, seen.headers.get("Location")) == (400, None)
    client = provider.client()
    back, verifier = provider.sent_back(client)
    code = "redirect_uri_mismatch" if provider.name == "github" else "invalid_grant"
    with pytest.raises(OAuthError, match=code):
        client.fetch_token(
            provider.token_url,
            authorization_response=back,
            code_verifier=verifier,
            redirect_uri="http://127.0.0.1:8798/callback",
        )


@every
def test_a_wrong_secret_is_refused(provider: Provider) -> None:
    client = provider.client(client_secret="wrong")
    back, verifier = provider.sent_back(client)
    code = "incorrect_client_credentials" if provider.name == "github" else "invalid_client"
    with pytest.raises(OAuthError, match=code):
        client.fetch_token(provider.token_url, authorization_response=back, code_verifier=verifier)


@every
def test_a_state_of_another_login_is_noticed(provider: Provider) -> None:
    client = provider.client()
    back, verifier = provider.sent_back(client)
    with pytest.raises(MismatchingStateException):
        client.fetch_token(provider.token_url, authorization_response=back, state="of-another", code_verifier=verifier)


@pytest.mark.parametrize("provider", [name for name, shape in SHAPES.items() if shape.rotates], indirect=True)
def test_a_refresh_token_used_twice_ends_its_family(provider: Provider) -> None:
    code = "bad_refresh_token" if provider.name == "github" else "invalid_grant"
    client = provider.client()
    stolen = provider.tokens(client)["refresh_token"]
    newest = client.refresh_token(provider.token_url, refresh_token=stolen)["refresh_token"]
    for token in [stolen, newest]:
        with pytest.raises(OAuthError, match=code):
            client.refresh_token(provider.token_url, refresh_token=token)
    assert client.get(provider.at(provider.shape.userinfo)).status_code == 401


@pytest.mark.parametrize("name", list(SHAPES))
def test_the_gateway_logs_a_browser_in_and_refuses_forged_callbacks(gateway: Gateway, session: str, name: str) -> None:
    login = f"{gateway.url}/login/{name}~{session}"
    browser = requests.Session()
    browser.verify, browser.trust_env = gateway.ca_file, False
    # Its cookie jar, its redirects: the whole way there and back.
    done = browser.get(login, timeout=20)
    assert done.status_code == 200, done.text
    who = done.json()
    assert (who["provider"], who["sub"]) == (name, SHAPES[name].user)
    assert [cookie.name for cookie in browser.cookies] == ["gatewright_session"]
    assert all(cookie.secure for cookie in browser.cookies)
    # The callback that was used, once more, with the browser's own cookies.
    callback = next(step.url for step in done.history if "/callback?" in step.url)
    forged = [callback, re.sub("state=[^&]*", "state=forged", callback), re.sub("[?&]state=[^&]*", "?a=b", callback)]
    for url in forged:
        refused = browser.get(url, timeout=20)
        assert (refused.status_code, refused.json()["code"]) == (400, "login_state_mismatch")
    # A victim who is made to open an attacker's callback is not logged in.
    attacker = requests.Session()
    attacker.verify, attacker.trust_env = gateway.ca_file, False
    step = attacker.get(login, allow_redirects=False, timeout=20)
    step = attacker.get(step.headers["Location"], allow_redirects=False, timeout=20)
    victim = requests.get(step.headers["Location"], verify=gateway.ca_file, timeout=20)
    assert (victim.status_code, victim.json()["code"]) == (400, "login_state_mismatch")
    logout = f"{gateway.url}/logout~{session}"
    assert browser.post(logout, timeout=20).status_code == 403
    gone = browser.post(logout, headers={"X-CSRF-Token": who["csrf_token"]}, timeout=20)
    assert gone.status_code == 204
    assert browser.get(f"{gateway.url}/login/session~{session}", timeout=20).status_code == 401
