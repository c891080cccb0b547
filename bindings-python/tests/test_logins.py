"""Logging in and out by OAuth: what the user is shown, what goes onto the wire, and that the client's calls use it."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

import pytest

import gatewright
from gatewright import OAuth, TokenError

if TYPE_CHECKING:
    from pathlib import Path

    from gatewright import AsyncClient, Client
    from mock_gateway import Session

REDIRECT = "https://app.example/callback"


def issuer(session: Session) -> str:
    return f"{session.url}/oauth/generic~{session.name}"


def user_of(session: Session, **given: Any) -> OAuth:
    return OAuth("public-client", issuer=issuer(session), scopes=["contacts:read"], **given)


def ops(session: Session) -> list[str]:
    return [entry["op"] for entry in session.journal()]


def sent_with(session: Session) -> str:
    """The end of the token that came with the last request; the journal keeps no more of it."""
    header: str = dict(session.last()["headers"])["authorization"]
    return header.removeprefix("Bearer ***")


def browse(url: str) -> str:
    """Where the server sends the browser that goes there."""
    server = urlsplit(url)
    with gatewright.Client(f"{server.scheme}://{server.netloc}", max_redirects=0, raise_for_status=False) as browser:
        return browser.get(url).headers["location"]


def come_back(redirect: str) -> str:
    """The user's browser follows the redirect to this machine."""
    opener = build_opener(ProxyHandler({}))
    with opener.open(Request(redirect), timeout=30) as page:
        return str(page.read().decode())


def test_a_login_by_a_browser_brings_tokens_for_the_clients_calls(session: Session) -> None:
    with session.client(auth=user_of(session)) as client:
        login = client.oauth().authorization(REDIRECT)
        query = parse_qs(urlsplit(login.url).query)
        assert query["code_challenge_method"] == ["S256"]
        assert query["redirect_uri"] == [REDIRECT]
        tokens = login.finish(browse(login.url))
        assert tokens.token_type == "Bearer"
        assert tokens.refresh_token is not None
        assert client.get("/v1/contacts/ct_000001").is_success
        with pytest.raises(gatewright.ClosedError, match="the login is over"):
            login.finish(REDIRECT)
    assert sent_with(session) == tokens.access_token[-4:]
    assert ops(session) == ["oauth.metadata", "oauth.authorize", "oauth.token", "contacts.get"]


async def test_a_login_by_a_browser_brings_tokens_for_the_clients_calls_async(session: Session) -> None:
    async with session.async_client(auth=user_of(session)) as client:
        login = await client.oauth().authorization(REDIRECT)
        tokens = await login.finish(await asyncio.to_thread(browse, login.url))
        assert (await client.get("/v1/contacts/ct_000001")).is_success
    assert sent_with(session) == tokens.access_token[-4:]


def test_a_redirect_of_another_login_is_refused(session: Session) -> None:
    with session.client(auth=user_of(session)) as client:
        login = client.oauth().authorization(REDIRECT)
        with pytest.raises(TokenError):
            login.finish(f"{REDIRECT}?code=abc&state=another")
    assert "oauth.token" not in ops(session)


def test_the_redirect_comes_to_this_machine(session: Session) -> None:
    pages: list[str] = []
    with session.client(auth=user_of(session)) as client:
        login = client.oauth().loopback()
        browser = threading.Thread(target=lambda: pages.append(come_back(browse(login.url))))
        browser.start()
        tokens = login.wait(timeout=30.0)
        browser.join()
        client.get("/v1/contacts/ct_000001")
    assert "You are logged in" in pages[0]
    assert sent_with(session) == tokens.access_token[-4:]


async def test_the_redirect_comes_to_this_machine_async(session: Session) -> None:
    async with session.async_client(auth=user_of(session)) as client:
        login = await client.oauth().loopback()
        tokens, page = await asyncio.gather(
            login.wait(timeout=30.0), asyncio.to_thread(lambda: come_back(browse(login.url)))
        )
        await client.get("/v1/contacts/ct_000001")
    assert "You are logged in" in page
    assert sent_with(session) == tokens.access_token[-4:]


def test_nobody_is_waited_for_for_longer_than_said(session: Session) -> None:
    with session.client(auth=user_of(session)) as client:
        with pytest.raises(TokenError, match="in time"):
            client.oauth().loopback().wait(timeout=0.05)
        with pytest.raises(gatewright.InvalidRequestError, match="`timeout` is NaN"):
            client.oauth().loopback().wait(timeout=float("nan"))


async def test_a_login_whose_task_is_cancelled_is_over(session: Session) -> None:
    async with session.async_client(auth=user_of(session)) as client:
        login = await client.oauth().loopback()
        waiting = asyncio.create_task(login.wait())
        await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        with pytest.raises(gatewright.ClosedError):
            await login.wait()


def decide(session: Session, user_code: str, decision: str) -> None:
    session.admin("POST", "oauth/device", {"user_code": user_code, "decision": decision})


def test_another_device_logs_in(session: Session) -> None:
    session.set(oauth={"device_interval_s": 0})
    with session.client(auth=user_of(session)) as client:
        login = client.oauth().device()
        assert login.verification_uri.startswith(session.url)
        assert login.verification_uri_complete is None or login.user_code in login.verification_uri_complete
        assert login.expires_in > 0
        assert login.user_code not in repr(login)
        decide(session, login.user_code, "approve")
        tokens = login.wait()
        client.get("/v1/contacts/ct_000001")
    assert sent_with(session) == tokens.access_token[-4:]


async def test_another_device_logs_in_async(session: Session) -> None:
    session.set(oauth={"device_interval_s": 0})
    async with session.async_client(auth=user_of(session)) as client:
        login = await client.oauth().device()
        decide(session, login.user_code, "approve")
        await login.wait()
        assert (await client.get("/v1/contacts/ct_000001")).is_success


def test_a_user_who_refuses_is_told_of(session: Session) -> None:
    session.set(oauth={"device_interval_s": 0})
    with session.client(auth=user_of(session)) as client:
        login = client.oauth().device()
        decide(session, login.user_code, "deny")
        with pytest.raises(TokenError, match=r"access_denied|refused|denied"):
            login.wait()


def log_in(session: Session, client: Client, credential: str | None = None) -> Any:
    login = client.oauth(credential).authorization(REDIRECT)
    return login.finish(browse(login.url))


def test_who_logs_out_is_logged_out(session: Session, tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    with session.client(auth=user_of(session, token_file=file)) as client:
        tokens = log_in(session, client)
        assert json.loads(file.read_text())["access_token"] == tokens.access_token
        client.oauth().revoke()
        with pytest.raises(TokenError):
            client.get("/v1/contacts/ct_000001")
    assert ops(session)[-1] == "oauth.revoke"
    assert not file.exists() or tokens.access_token not in file.read_text()


async def log_out(client: AsyncClient) -> None:
    await client.oauth().revoke()


async def test_who_logs_out_is_logged_out_async(session: Session) -> None:
    async with session.async_client(auth=user_of(session)) as client:
        login = await client.oauth().authorization(REDIRECT)
        await login.finish(await asyncio.to_thread(browse, login.url))
        await log_out(client)
        with pytest.raises(TokenError):
            await client.get("/v1/contacts/ct_000001")


def test_a_credential_by_its_name_logs_in(session: Session) -> None:
    with session.client(credentials={"user": user_of(session)}) as client:
        tokens = log_in(session, client, "user")
        client.get("/v1/contacts/ct_000001", credential="user")
        with pytest.raises(gatewright.InvalidConfigError, match='no credential called "other" is an OAuth'):
            client.oauth("other").device()
        with pytest.raises(gatewright.InvalidConfigError, match="the client's `auth` is no OAuth"):
            client.oauth().revoke()
    assert sent_with(session) == tokens.access_token[-4:]


def test_tokens_are_not_shown(session: Session) -> None:
    with session.client(auth=user_of(session)) as client:
        tokens = log_in(session, client)
        shown = f"{tokens!r} {tokens} {client!r} {client.oauth()!r}"
    for secret in (tokens.access_token, tokens.refresh_token):
        assert secret
        assert secret not in shown


def test_endpoints_may_be_given_one_by_one(session: Session) -> None:
    session.set(oauth={"device_interval_s": 0})
    url = issuer(session)
    oauth = OAuth(
        "public-client",
        token_url=f"{url}/token",
        authorization_url=f"{url}/authorize",
        device_authorization_url=f"{url}/device_authorization",
        revocation_url=f"{url}/revoke",
    )
    with session.client(auth=oauth) as client:
        assert client.oauth().authorization(REDIRECT).url.startswith(f"{url}/authorize?")
        login = client.oauth().device()
        decide(session, login.user_code, "approve")
        login.wait()
        client.oauth().revoke()
    assert "oauth.metadata" not in ops(session)
