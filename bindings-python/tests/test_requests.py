"""What goes onto the wire."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

import gatewright
from mock_gateway import body_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from mock_gateway import Session

VERBS = ["get", "head", "options", "delete", "post", "put", "patch"]
WITH_BODY = ["post", "put", "patch"]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_sends_its_method(session: Session, verb: str) -> None:
    with session.client() as client:
        response: gatewright.Response = getattr(client, verb)("/v1/echo")
    assert response.method == verb.upper() == session.last()["method"]
    assert response.is_success


@pytest.mark.parametrize("verb", VERBS)
async def test_every_verb_sends_its_method_async(session: Session, verb: str) -> None:
    async with session.async_client() as client:
        response: gatewright.Response = await getattr(client, verb)("/v1/echo")
    assert response.method == verb.upper() == session.last()["method"]


def test_a_method_of_any_name_can_be_sent(session: Session) -> None:
    with session.client(raise_for_status=False) as client:
        client.request("purge", "/v1/echo")
    assert session.last()["method"] == "PURGE"


PARAMS: list[tuple[Any, str]] = [
    ({"a": 1, "b": "x y", "c": 1.5}, "a=1&b=x+y&c=1.5"),
    ({"yes": True, "no": False, "left_out": None}, "yes=true&no=false"),
    ({"many": ["a", "b", None]}, "many=a&many=b"),
    ([("a", 1), ("a", 2)], "a=1&a=2"),
    ({"utf8": "ä&=+"}, "utf8=%C3%A4%26%3D%2B"),
]


@pytest.mark.parametrize(("params", "query"), PARAMS)
def test_params_become_the_query(session: Session, params: Any, query: str) -> None:
    with session.client() as client:
        client.get("/v1/echo", params=params)
        client.get("/v1/echo?first=0", params=params)
    assert [entry["query"] for entry in session.journal()] == [query, f"first=0&{query}"]


@pytest.mark.parametrize(("params", "query"), PARAMS)
async def test_params_become_the_query_async(session: Session, params: Any, query: str) -> None:
    async with session.async_client() as client:
        await client.get("/v1/echo", params=params)
    assert session.last()["query"] == query


@pytest.mark.parametrize("verb", WITH_BODY)
def test_json_is_encoded_compactly_with_its_content_type(session: Session, verb: str) -> None:
    value = {"name": "Zoë", "list": [1, 2.5, None, True]}
    with session.client() as client:
        getattr(client, verb)("/v1/echo", json=value)
    entry = session.last()
    assert body_of(entry) == '{"name":"Zoë","list":[1,2.5,null,true]}'.encode()
    assert dict(entry["headers"])["content-type"] == "application/json"


async def test_json_is_encoded_compactly_with_its_content_type_async(session: Session) -> None:
    async with session.async_client() as client:
        await client.post("/v1/echo", json={"name": "Zoë"})
    entry = session.last()
    assert body_of(entry) == '{"name":"Zoë"}'.encode()
    assert dict(entry["headers"])["content-type"] == "application/json"


def test_json_that_is_false_is_sent_all_the_same(session: Session) -> None:
    values: list[Any] = [{}, [], 0, False, ""]
    with session.client() as client:
        for value in values:
            client.post("/v1/echo", json=value)
    assert [json.loads(body_of(entry)) for entry in session.journal()] == values


def test_a_content_type_of_ones_own_wins(session: Session) -> None:
    with session.client() as client:
        client.post("/v1/echo", json={}, headers={"Content-Type": "application/merge-patch+json"})
    assert session.header_of("content-type") == ["application/merge-patch+json"]


def test_data_is_a_form(session: Session) -> None:
    with session.client() as client:
        client.post("/v1/echo", data={"a": "x y", "b": [1, 2], "c": True, "d": None})
    entry = session.last()
    assert body_of(entry) == b"a=x+y&b=1&b=2&c=true"
    assert dict(entry["headers"])["content-type"] == "application/x-www-form-urlencoded"


async def test_data_is_a_form_async(session: Session) -> None:
    async with session.async_client() as client:
        await client.post("/v1/echo", data={"a": "x y"})
    assert body_of(session.last()) == b"a=x+y"


def pieces() -> Iterator[bytes]:
    yield b"one "
    yield b""
    yield b"two"


async def async_pieces() -> AsyncIterator[bytes]:
    for piece in pieces():
        yield piece


@pytest.mark.parametrize(
    ("content", "sent"),
    [
        (b"bytes", b"bytes"),
        ("tëxt", "tëxt".encode()),
        (bytearray(b"bytearray"), b"bytearray"),
        (memoryview(b"-memoryview-")[1:-1], b"memoryview"),
        ([b"a", b"list"], b"alist"),
        (io.BytesIO(b"file" * 50_000), b"file" * 50_000),
        (b"", b""),
    ],
)
def test_content_is_sent_as_it_is(session: Session, content: Any, sent: bytes) -> None:
    with session.client() as client:
        client.put("/v1/echo", content=content)
    assert body_of(session.last()) == sent
    assert session.header_of("content-type") == [None]


def test_content_from_a_generator_is_sent_chunked(session: Session) -> None:
    with session.client() as client:
        client.put("/v1/echo", content=pieces())
    assert body_of(session.last()) == b"one two"
    assert session.header_of("transfer-encoding") == ["chunked"]


def test_a_file_is_sent_from_where_it_stands(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(b"line\n" * 40_000)
    with session.client() as client, path.open("rb") as file:
        file.seek(5)
        answer = client.put("/v1/sink", content=file).json()
    assert answer["body_length"] == 5 * 39_999


@pytest.mark.parametrize("kind", ["bytes", "generator", "async generator", "file"])
async def test_content_is_sent_as_it_is_async(session: Session, kind: str) -> None:
    content: Any = {
        "bytes": b"one two",
        "generator": pieces(),
        "async generator": async_pieces(),
        "file": io.BytesIO(b"one two"),
    }[kind]
    async with session.async_client() as client:
        await client.put("/v1/echo", content=content)
    assert body_of(session.last()) == b"one two"


def test_headers_of_a_request_replace_those_of_the_client(session: Session) -> None:
    with session.client(headers={"X-One": "client", "X-Two": "client"}) as client:
        client.get("/v1/echo", headers={"x-one": "request", "x-bytes": b"caf\xc3\xa9", "x-number": 7})
        client.get("/v1/echo", headers=[("x-many", "a"), ("x-many", "b")])
    first, second = session.journal()
    headers = dict(first["headers"])
    assert (headers["x-one"], headers["x-two"]) == ("request", "client")
    assert (headers["x-bytes"], headers["x-number"]) == ("café", "7")
    assert [value for name, value in second["headers"] if name == "x-many"] == ["a", "b"]


async def test_headers_of_a_request_replace_those_of_the_client_async(session: Session) -> None:
    async with session.async_client(headers={"X-One": "client"}) as client:
        await client.get("/v1/echo", headers={"x-one": "request"})
    assert session.header_of("x-one") == ["request"]


def test_the_user_agent_names_the_package(session: Session) -> None:
    with session.client() as client:
        client.get("/v1/echo")
    assert session.header_of("user-agent") == [f"gatewright/{gatewright.__version__}"]


def test_paths_are_joined_to_the_base_url(session: Session) -> None:
    for base in (f"{session.url}/v1", f"{session.url}/v1/"):
        with gatewright.Client(base, auth="sk_test_unlimited_acme", headers=session.headers) as client:
            for path in ("echo", "/echo", f"{session.url}/v1/echo"):
                client.get(path)
    assert {entry["path"] for entry in session.journal()} == {"/v1/echo"}


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        ("sk_test_unlimited_acme", "authorization"),
        (gatewright.Bearer("sk_test_unlimited_acme"), "authorization"),
        (("sk_test_unlimited_acme", ""), "authorization"),
        (gatewright.ApiKey("sk_test_unlimited_acme"), "x-api-key"),
        (gatewright.ApiKey("sk_test_unlimited_acme", header="X-Api-Key"), "x-api-key"),
        (lambda: "sk_test_unlimited_acme", "authorization"),
    ],
)
def test_every_kind_of_auth_proves_who_one_is(session: Session, auth: Any, header: str) -> None:
    with session.client(auth=auth) as client:
        assert client.get("/v1/whoami").json()["tenant"] == "acme"
    assert session.header_of(header) != [None]


@pytest.mark.parametrize(
    "auth", [gatewright.ApiKey("sk_test_pro_a", query="api_key"), gatewright.ApiKey("sk_test_pro_a", cookie="api_key")]
)
async def test_api_keys_in_query_and_cookie_are_sent(session: Session, auth: gatewright.ApiKey) -> None:
    session.set(auth="off")
    async with session.async_client(auth=auth) as client:
        answer = (await client.get("/v1/echo")).json()
    sent = answer["query"] if auth.query else dict(answer["headers"])["cookie"]
    assert sent.startswith("api_key=")


def test_redirects_of_the_same_origin_are_followed(session: Session) -> None:
    with session.client() as client:
        response = client.get("/v1/redirect/302", params={"to": "/v1/whoami"})
        assert response.json()["tenant"] == "acme"
        assert response.url == f"{session.url}/v1/whoami"
        unfollowed = session.client(max_redirects=0).get("/v1/redirect/302", params={"to": "/v1/whoami"})
    assert (unfollowed.status_code, unfollowed.headers["location"]) == (302, "/v1/whoami")


def test_clients_can_be_subclassed_with_arguments_of_their_own(session: Session) -> None:
    class Contacts(gatewright.Client):
        def __init__(self, tenant: str) -> None:
            super().__init__(session.url, auth=f"sk_test_unlimited_{tenant}", headers=session.headers)
            self.tenant = tenant

    with Contacts("zoo") as client:
        assert client.get("/v1/whoami").json()["tenant"] == client.tenant == "zoo"
        assert repr(client) == f"<Contacts {session.url}/>"


def test_a_subclass_that_forgot_its_base_is_told(session: Session) -> None:
    class Forgetful(gatewright.AsyncClient):
        def __init__(self) -> None:
            pass

    with pytest.raises(RuntimeError, match=r"call super\(\).__init__\(\) first"):
        Forgetful().state()
