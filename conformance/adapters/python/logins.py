"""Logins of OAuth, played: the adapter is the user, with a browser or at the page of a device."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

if TYPE_CHECKING:
    import gatewright

REDIRECT = "https://app.example/callback"

Json = dict[str, Any]


class _Stays(HTTPRedirectHandler):
    """A browser that follows no redirect, but shows where it leads."""

    def redirect_request(self, *_: Any) -> None:
        return None

    def http_error_302(self, _request: Any, answer: Any, *_: Any) -> Any:
        return answer

    http_error_301 = http_error_303 = http_error_307 = http_error_302


_browser = build_opener(ProxyHandler({}), _Stays())


def browse(url: str) -> str:
    """Where the server sends the browser that goes to `url`."""
    with _browser.open(url, timeout=30) as answer:
        return str(answer.headers["location"])


def decide(page: str, user_code: str, decision: str) -> None:
    """The user's decision on the page of a device."""
    form = urlencode({"user_code": user_code, "decision": decision}).encode()
    with _browser.open(Request(page, form), timeout=30):
        pass


def told(tokens: gatewright.Tokens) -> Json:
    return {
        "ok": True,
        "login": {
            "token_type": tokens.token_type,
            "scope": tokens.scope,
            "refresh_token": tokens.refresh_token is not None,
        },
    }


def log_in(client: Any, request: Json) -> Json:
    """With `gatewright.Client`."""
    flow = client.oauth()
    if request["login"] == "revoke":
        flow.revoke()
        return {"ok": True}
    if request["login"] == "device":
        device = flow.device()
        decide(device.verification_uri, device.user_code, request.get("decision", "approve"))
        return told(device.wait())
    login = flow.authorization(REDIRECT)
    return told(login.finish(request.get("redirect") or browse(login.url)))


async def log_in_async(client: Any, request: Json) -> Json:
    """With `gatewright.AsyncClient`."""
    flow = client.oauth()
    if request["login"] == "revoke":
        await flow.revoke()
        return {"ok": True}
    if request["login"] == "device":
        device = await flow.device()
        decision = request.get("decision", "approve")
        await asyncio.to_thread(decide, device.verification_uri, device.user_code, decision)
        return told(await device.wait())
    login = await flow.authorization(REDIRECT)
    redirect = request.get("redirect") or await asyncio.to_thread(browse, login.url)
    return told(await login.finish(redirect))
