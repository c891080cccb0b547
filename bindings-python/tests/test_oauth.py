"""OAuth 2 and signatures: what goes onto the wire, when tokens are fetched, and that no secret is shown."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import os
import pickle
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

import gatewright
from gatewright import ApiKey, Basic, Bearer, Dpop, HmacSignature, HttpSignature, OAuth

if TYPE_CHECKING:
    from pathlib import Path

    from mock_gateway import Session


def pem() -> str:
    """A new Ed25519 key."""
    der = bytes.fromhex("302e020100300506032b657004220420") + os.urandom(32)
    return f"-----BEGIN PRIVATE KEY-----\n{base64.b64encode(der).decode()}\n-----END PRIVATE KEY-----\n"


def issuer(session: Session) -> str:
    return f"{session.url}/oauth/generic~{session.name}"


def machine(session: Session, **given: Any) -> OAuth:
    settings: dict[str, Any] = {"token_url": f"{issuer(session)}/token", "client_secret": "test-secret", **given}
    return OAuth("test-client", **settings)


def ops(session: Session) -> list[str]:
    return [entry["op"] for entry in session.journal()]


def sent(session: Session, name: str, op: str = "whoami") -> list[str]:
    """A header of the requests of an operation, as the gateway saw it."""
    return [dict(entry["headers"])[name] for entry in session.journal() if entry["op"] == op]


def test_client_credentials_are_asked_for_once_for_many_calls(session: Session) -> None:
    with session.client(auth=machine(session)) as client:
        for _ in range(5):
            assert client.get("/v1/whoami").json()["tenant"] == "acme"
    assert ops(session) == ["oauth.token"] + ["whoami"] * 5
    (token,) = set(sent(session, "authorization"))
    assert token.startswith("Bearer ")


async def test_calls_of_asyncio_wait_for_one_token(session: Session) -> None:
    session.set(oauth={"token_delay_ms": 30})
    async with session.async_client(auth=machine(session)) as client:
        await asyncio.gather(*(client.get("/v1/whoami") for _ in range(20)))
    assert ops(session) == ["oauth.token"] + ["whoami"] * 20


def test_a_401_leads_to_one_new_token(session: Session) -> None:
    with session.client(auth=machine(session)) as client:
        client.get("/v1/whoami")
        session.admin("POST", "oauth/revoke", {})
        response = client.get("/v1/whoami")
    assert [attempt.status for attempt in response.attempts] == [401, 200]
    assert ops(session) == ["oauth.token", "whoami", "whoami", "oauth.token", "whoami"]


async def test_a_401_leads_to_one_new_token_in_asyncio(session: Session) -> None:
    async with session.async_client(auth=machine(session)) as client:
        await client.get("/v1/whoami")
        session.admin("POST", "oauth/revoke", {})
        await client.get("/v1/whoami")
    assert ops(session) == ["oauth.token", "whoami", "whoami", "oauth.token", "whoami"]


def test_a_token_that_has_expired_is_fetched_anew_once(session: Session) -> None:
    session.set(oauth={"access_token_ttl_ms": 60_000, "expires_in": False})
    with session.client(auth=machine(session)) as client:
        client.get("/v1/whoami")
        session.admin("POST", "clock", {"advance_ms": 61_000})
        client.get("/v1/whoami")
        client.get("/v1/whoami")
    assert ops(session) == ["oauth.token", "whoami", "whoami", "oauth.token", "whoami", "whoami"]
    first, refused, anew, again = sent(session, "authorization")
    # The journal keeps four characters of each, which may be alike by chance; the old token would be refused again.
    assert (first, anew) == (refused, again)


def form(session: Session, path: str, **fields: str) -> Any:
    """Sends a form to the OAuth server."""
    with gatewright.Client(issuer(session)) as client:
        return client.post(f"{issuer(session)}/{path}", data=fields).json()


def test_refresh_tokens_are_rotated_and_kept_in_the_file(session: Session, tmp_path: Path) -> None:
    session.set(oauth={"device_interval_s": 0})
    device = form(session, "device_authorization", client_id="public-client")
    session.admin("POST", "oauth/device", {"user_code": device["user_code"], "decision": "approve"})
    tokens = form(
        session,
        "token",
        grant_type="urn:ietf:params:oauth:grant-type:device_code",
        client_id="public-client",
        device_code=device["device_code"],
    )
    file = tmp_path / "tokens.json"
    url = f"{issuer(session)}/token"
    oauth = OAuth("public-client", token_url=url, refresh_token=tokens["refresh_token"], token_file=file)
    for _ in range(3):
        with session.client(auth=oauth) as client:
            client.get("/v1/whoami")
        session.admin("POST", "oauth/revoke", {})
    # The first is the device's own; a refresh token that was used twice would have revoked them all.
    assert ops(session).count("oauth.token") == 4
    assert tokens["refresh_token"] not in file.read_text()


def test_endpoints_are_found_by_the_issuer_and_scopes_are_asked_for(session: Session) -> None:
    oauth = OAuth("test-client", issuer=issuer(session), client_secret="test-secret", scopes=["contacts:read"])
    with session.client(auth=oauth) as client:
        client.get("/v1/contacts")
        with pytest.raises(gatewright.PermissionDeniedError):
            client.post("/v1/contacts", json={"name": "Ada", "email": "a@example.com"})
    assert ops(session)[:2] == ["oauth.metadata", "oauth.token"]


@pytest.mark.parametrize("how", ["basic", "post"])
def test_a_wrong_secret_is_a_token_error_with_the_servers_words(session: Session, how: Any) -> None:
    session.set(oauth={"echo_secret": True})
    wrong = "canary-s3cret"
    oauth = machine(session, client_secret=wrong, client_auth=how)
    with session.client(auth=oauth) as client, pytest.raises(gatewright.TokenError, match="invalid_client") as caught:
        client.get("/v1/whoami")
    shown = f"{caught.value} {caught.value!r} {caught.value.advice} {vars(caught.value)} {caught.value.__cause__!r}"
    assert wrong not in shown
    assert base64.b64encode(f"test-client:{wrong}".encode()).decode() not in shown
    assert ops(session) == ["oauth.token"]


def test_a_token_file_survives_the_client(session: Session, tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    oauth = machine(session, token_file=file, grant="client_credentials")
    for _ in range(2):
        with session.client(auth=oauth) as client:
            client.get("/v1/whoami")
    assert ops(session) == ["oauth.token", "whoami", "whoami"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_without_a_login_nothing_is_sent(session: Session) -> None:
    oauth = OAuth("public-client", token_url=f"{issuer(session)}/token")
    with session.client(auth=oauth) as client, pytest.raises(gatewright.TokenError, match="logged in"):
        client.get("/v1/whoami")
    assert session.journal() == []


def test_a_refresh_token_that_is_not_good_is_a_token_error(session: Session) -> None:
    oauth = OAuth("public-client", token_url=f"{issuer(session)}/token", refresh_token="canary-refresh")
    with session.client(auth=oauth) as client, pytest.raises(gatewright.TokenError, match="invalid_grant") as caught:
        client.get("/v1/whoami")
    assert "canary-refresh" not in f"{caught.value} {caught.value!r} {vars(caught.value)}"


def test_tokens_can_be_bound_to_a_key(session: Session) -> None:
    session.set(oauth={"dpop": "required", "dpop_nonce": True})
    with session.client(auth=machine(session, dpop_key=pem())) as client:
        client.get("/v1/whoami")
        client.get("/v1/whoami")
    assert all(value.startswith("DPoP ") for value in sent(session, "authorization"))
    proofs = sent(session, "dpop")
    assert len(set(proofs)) == len(proofs) >= 2


def test_a_token_of_ones_own_goes_with_a_proof(session: Session) -> None:
    session.set(auth="off")
    with session.client(auth=Dpop("bound-token", pem())) as client:
        client.get("/v1/whoami", headers={"X-Mock-Fault": "once:503"}, raise_for_status=False)
    assert {value[:5] for value in sent(session, "authorization")} == {"DPoP "}
    proofs = sent(session, "dpop")
    assert len(set(proofs)) == len(proofs) >= 2


ADA = b'{"name":"Ada","email":"a@example.com"}'
SCHEME: dict[str, Any] = {
    "encoding": "hex",
    "text": "{method} {path_and_query} {timestamp} {nonce} {body_sha256}",
    "headers": {"x-sig": "v1={signature}", "x-time": "{timestamp}", "x-nonce": "{nonce}", "x-key": "{key_id}"},
}


def check_hmac(entry: dict[str, Any], secret: str, body: bytes) -> None:
    headers = dict(entry["headers"])
    digest = hashlib.sha256(body).hexdigest()
    text = f"{entry['method']} {entry['path']} {headers['x-time']} {headers['x-nonce']} {digest}"
    signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    assert headers["x-sig"] == f"v1={signature}"
    assert headers["x-key"] == "k1"


def test_an_hmac_is_made_anew_for_each_attempt(session: Session) -> None:
    session.set(auth="off")
    with session.client(auth=HmacSignature("k1", "hmac-secret", **SCHEME)) as client:
        client.post(
            "/v1/contacts", content=b'{"name":"Ada","email":"a@example.com"}', headers={"X-Mock-Fault": "once:503"}
        )
    entries = session.journal()
    assert len(entries) == 2
    for entry in entries:
        check_hmac(entry, "hmac-secret", ADA)
    assert len(set(sent(session, "x-nonce", "contacts.create"))) == 2
    assert len(set(sent(session, "idempotency-key", "contacts.create"))) == 1


@pytest.mark.parametrize("kind", ["bearer", "basic", "key", "oauth"])
def test_a_signature_goes_beside_each_credential(session: Session, kind: str) -> None:
    session.set(auth="off")
    sign = HmacSignature("k1", "hmac-secret", **SCHEME)
    auths: dict[str, Any] = {
        "bearer": Bearer("sk_x", sign=sign),
        "basic": Basic("me", "you", sign=sign),
        "key": ApiKey("sk_x", header="authorization", sign=sign),
        "oauth": machine(session, sign=sign),
    }
    with session.client(auth=auths[kind]) as client:
        client.get("/v1/whoami", raise_for_status=False)
    check_hmac(session.last(), "hmac-secret", b"")
    assert len(sent(session, "authorization")) == 1


async def test_an_http_signature_is_seen_by_the_server(session: Session) -> None:
    session.set(auth="off")
    signature = HttpSignature("k1", key=pem(), tag="app", label="mine", expires=60)
    async with session.async_client(auth=signature) as client:
        await client.post("/v1/contacts", json={"name": "Ada", "email": "a@example.com"})
    headers = dict(session.last()["headers"])
    assert headers["signature-input"].startswith('mine=("@method" "@target-uri" "content-digest")')
    for part in ('keyid="k1"', 'alg="ed25519"', 'tag="app"', "expires="):
        assert part in headers["signature-input"]
    assert headers["signature"].startswith("mine=:")
    assert headers["content-digest"].startswith("sha-256=:")


def test_an_http_signature_by_a_shared_secret(session: Session) -> None:
    session.set(auth="off")
    secret = os.urandom(32)
    signature = HttpSignature("k1", secret=secret, components=["@method", "@path"], nonce=False, name_algorithm=False)
    with session.client(auth=signature) as client:
        client.get("/v1/whoami")
    headers = dict(session.last()["headers"])
    parameters = headers["signature-input"].removeprefix("sig1=")
    base = f'"@method": GET\n"@path": /v1/whoami\n"@signature-params": {parameters}'
    mac = base64.b64encode(hmac.new(secret, base.encode(), hashlib.sha256).digest()).decode()
    assert headers["signature"] == f"sig1=:{mac}:"


def test_a_stream_that_would_have_to_be_signed_is_refused(session: Session) -> None:
    session.set(auth="off")
    with session.client(auth=HmacSignature("k1", "hmac-secret", **SCHEME)) as client:
        with pytest.raises(gatewright.InvalidRequestError):
            client.post("/v1/contacts", content=iter([b"{}"]))
    assert session.journal() == []


def test_calls_name_their_credential(session: Session, tmp_path: Path) -> None:
    session.set(auth="off")
    others = {"machine": machine(session), "signed": HmacSignature("k1", "hmac-secret", **SCHEME)}
    with session.client(credentials=others) as client:
        client.get("/v1/whoami", credential="machine")
        assert ops(session) == ["oauth.token", "whoami"]
        with client.download("/v1/bytes/100", credential="signed") as download:
            assert len(b"".join(download)) == 100
        assert "x-sig" in dict(session.last()["headers"])
        client.download_to("/v1/bytes/100", tmp_path / "it", credential=False)
        assert "authorization" not in dict(session.last()["headers"])
        with client.json_lines("/v1/lines/1", credential=False) as lines:
            list(lines)
        assert "authorization" not in dict(session.last()["headers"])
        with pytest.raises(gatewright.InvalidRequestError):
            client.upload("/v1/files", b"x", credential="nobody").send()


CANARY = "canary-s3cret"
SECRETS = [
    OAuth("me", client_secret=CANARY, refresh_token=CANARY, client_key=CANARY, dpop_key=CANARY, scopes=["a"]),
    OAuth("me", headers={"x-key": CANARY}, parameters=[("k", CANARY)], sign=HmacSignature("k1", CANARY)),
    HmacSignature("k1", CANARY, headers={"x-sig": "{signature}"}),
    HttpSignature("k1", key=CANARY),
    HttpSignature("k1", secret=CANARY.encode(), components=["@method"]),
    Dpop(CANARY, CANARY),
    Bearer(CANARY, sign=HttpSignature("k1", key=CANARY)),
]


@pytest.mark.parametrize("value", SECRETS, ids=lambda value: type(value).__name__)
def test_no_credential_shows_its_secret(value: Any) -> None:
    assert CANARY not in f"{value} {value!r}"
    again = pickle.loads(pickle.dumps(value))
    assert again == value
    assert hash(again) == hash(value)
    with pytest.raises(AttributeError):
        value.key_id = "other"


MISTAKES: dict[str, tuple[Any, type[Exception], str]] = {
    "key": (HttpSignature("k1", key=CANARY), gatewright.InvalidConfigError, "PEM"),
    "proof": (Dpop("token", CANARY), gatewright.InvalidConfigError, "PEM"),
    "both keys": (HttpSignature("k1", key=pem(), secret=b"x"), TypeError, "one key"),
    "no key": (HttpSignature("k1"), TypeError, "one key"),
    "place": (HmacSignature("k1", CANARY, text="{nothing}"), gatewright.InvalidConfigError, "text"),
    "header": (HmacSignature("k1", CANARY, headers={"a b": ""}), gatewright.InvalidConfigError, "headers"),
    "word": (OAuth("me", client_auth="x"), ValueError, "one of basic, post"),  # type: ignore[arg-type]
    "scopes": (OAuth("me", token_url="https://h.example", scopes="a b"), TypeError, "a list of str"),
    "secret": (OAuth("me", client_secret=7), TypeError, "client_secret= takes a str"),  # type: ignore[arg-type]
    "timeout": (OAuth("me", timeout=float("nan")), gatewright.InvalidConfigError, "timeout"),
    "sign": (Bearer(CANARY, sign="x"), TypeError, "sign= takes"),  # type: ignore[arg-type]
    "nowhere": (OAuth("me", client_secret=CANARY), gatewright.InvalidConfigError, "issuer"),
    "plain": (
        OAuth("me", client_secret=CANARY, token_url="http://login.example.com/token"),
        gatewright.Error,
        "https",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_before_anything_is_sent(session: Session, mistake: str) -> None:
    auth, kind, words = MISTAKES[mistake]
    with pytest.raises(kind, match=words) as caught, session.client(auth=auth) as client:
        client.get("/v1/whoami")
    assert CANARY not in f"{caught.value} {caught.value!r}"
    assert session.journal() == []


@pytest.mark.parametrize(
    "fetch", [lambda: "sk_test_unlimited_acme", lambda: gatewright.Token("sk_test_unlimited_acme", 60)]
)
def test_a_signature_goes_along_with_a_token_callback(session: Session, fetch: Any) -> None:
    with session.client(auth=Bearer(fetch, sign=HmacSignature("k1", "hmac-secret", **SCHEME))) as client:
        client.get("/v1/whoami")
    headers = dict(session.last()["headers"])
    assert headers["authorization"] == "Bearer ***acme"
    assert "x-sig" in headers


async def test_a_signature_goes_along_with_a_token_callback_async(session: Session) -> None:
    async def fetch() -> str:
        return "sk_test_unlimited_acme"

    async with session.async_client(
        credentials={"both": Bearer(fetch, sign=HmacSignature("k1", "hmac-secret", **SCHEME))}
    ) as client:
        await client.get("/v1/whoami", credential="both")
    headers = dict(session.last()["headers"])
    assert headers["authorization"] == "Bearer ***acme"
    assert "x-sig" in headers


class Kept:
    """A store in memory that counts, and may be shared by clients that lock it."""

    def __init__(self, tokens: str | None = None) -> None:
        self.tokens = tokens
        self.saved = 0
        self.locked = threading.Lock()

    def load(self) -> str | None:
        return self.tokens

    def save(self, tokens: str) -> None:
        self.saved += 1
        self.tokens = tokens

    def clear(self) -> None:
        self.tokens = None


class Locked(Kept):
    """The same, with a lock."""

    def lock(self) -> bool:
        return self.locked.acquire(blocking=False)

    def unlock(self) -> None:
        self.locked.release()


def refresh_token(session: Session) -> str:
    """The refresh token of somebody who has logged in."""
    session.set(oauth={"device_interval_s": 0})
    device = form(session, "device_authorization", client_id="public-client")
    session.admin("POST", "oauth/device", {"user_code": device["user_code"], "decision": "approve"})
    grant = "urn:ietf:params:oauth:grant-type:device_code"
    tokens = form(session, "token", grant_type=grant, client_id="public-client", device_code=device["device_code"])
    return str(tokens["refresh_token"])


def user(session: Session, store: Any, **given: Any) -> OAuth:
    return OAuth("public-client", token_url=f"{issuer(session)}/token", token_store=store, **given)


def test_tokens_are_kept_in_a_store_of_ones_own(session: Session) -> None:
    first = refresh_token(session)
    store = Kept()
    with session.client(auth=user(session, store, refresh_token=first)) as client:
        client.get("/v1/whoami")
    assert store.saved == 1
    assert store.tokens is not None
    assert first not in store.tokens
    # Another run: what is kept is used, and wins over what was given.
    with session.client(auth=user(session, store, refresh_token="long gone")) as client:
        client.get("/v1/whoami")
        session.admin("POST", "oauth/revoke", {})
        client.get("/v1/whoami")
    assert store.saved == 2


async def test_a_store_may_be_asked_with_await(session: Session) -> None:
    kept = Kept()

    class Awaited:
        async def load(self) -> str | None:
            await asyncio.sleep(0)
            return kept.load()

        async def save(self, tokens: str) -> None:
            await asyncio.sleep(0)
            kept.save(tokens)

        async def clear(self) -> None:
            kept.clear()

    auth = user(session, Awaited(), refresh_token=refresh_token(session))
    async with session.async_client(auth=auth) as client:
        await asyncio.gather(*(client.get("/v1/whoami") for _ in range(10)))
    assert kept.saved == 1


def whoami(client: gatewright.Client) -> None:
    client.get("/v1/whoami")


def test_clients_that_share_a_store_refresh_one_at_a_time(session: Session) -> None:
    store = Locked()
    auth = user(session, store, refresh_token=refresh_token(session))
    clients = [session.client(auth=auth) for _ in range(4)]
    for _ in range(3):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(whoami, clients))
        session.admin("POST", "oauth/revoke", {})
    for client in clients:
        client.close()
    # A refresh token that was used twice would have ended them all.
    assert store.saved == 3
    assert store.locked.acquire(timeout=10)


def test_what_a_store_raises_is_in_the_error(session: Session) -> None:
    class Broken(Kept):
        def load(self) -> str | None:
            raise OSError("the keychain is closed")

    with session.client(auth=user(session, Broken())) as client:
        with pytest.raises(gatewright.TokenError, match="the keychain is closed"):
            client.get("/v1/whoami")
    with session.client(auth=user(session, Kept("no tokens"))) as client:
        with pytest.raises(gatewright.TokenError):
            client.get("/v1/whoami")
    assert "whoami" not in ops(session)


def test_what_is_no_store_is_refused_at_once() -> None:
    class Half(Kept):
        def lock(self) -> bool:
            return True

    for wrong, why in [(object(), r"has no load\(\)"), (Half(), r"one of lock\(\) and unlock\(\)")]:
        auth = OAuth("app", token_url="https://example.com/token", token_store=wrong)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=why):
            gatewright.Client("https://example.com", auth=auth)
    both = OAuth("app", token_url="https://example.com/token", token_store=Kept(), token_file="tokens.json")
    with pytest.raises(gatewright.InvalidConfigError, match="both `token_file` and `token_store`"):
        gatewright.Client("https://example.com", auth=both)
    assert "Kept" not in repr(both)
