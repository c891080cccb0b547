"""What an answer offers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

import gatewright

if TYPE_CHECKING:
    from mock_gateway import Session


def check(response: gatewright.Response, url: str) -> None:
    assert response.status_code == 200
    assert response.is_success
    assert response.method == "GET"
    assert response.url == f"{url}/v1/contacts/ct_000001"
    assert response.json()["id"] == "ct_000001"
    assert isinstance(response.content, bytes)
    assert response.content is response.content
    assert response.text == response.content.decode()
    assert isinstance(response.elapsed, timedelta)
    assert response.elapsed > timedelta(0)
    assert response.request_id == response.headers["Request-Id"]
    assert [(attempt.number, attempt.status) for attempt in response.attempts] == [(1, 200)]
    assert repr(response) == "<Response 200 OK>"


def test_an_answer_has_status_body_headers_and_record(session: Session) -> None:
    with session.client() as client:
        check(client.get("/v1/contacts/ct_000001"), session.url)


async def test_an_answer_has_status_body_headers_and_record_async(session: Session) -> None:
    async with session.async_client() as client:
        check(await client.get("/v1/contacts/ct_000001"), session.url)


def test_headers_are_a_case_insensitive_mapping(session: Session) -> None:
    with session.client() as client:
        headers = client.get("/v1/contacts/ct_000001").headers
    assert isinstance(headers, Mapping)
    assert headers["content-type"] == headers["Content-Type"] == headers.get("CONTENT-TYPE") == "application/json"
    assert "ETag" in headers
    assert "nope" not in headers
    other: object = 5
    assert other not in headers
    assert headers.get("nope") is None
    assert headers.get("nope", "there") == "there"
    with pytest.raises(KeyError, match="nope"):
        headers["nope"]
    assert len(headers) == len(list(headers)) == len(headers.keys()) == len(headers.values())
    assert dict(headers) == dict(headers.items())
    assert headers == dict(headers)
    assert headers != {}
    match headers:
        case {"content-type": kind}:
            assert kind == "application/json"
        case _:
            pytest.fail("headers match no mapping pattern")


def test_repeated_headers_can_be_told_apart(session: Session) -> None:
    with session.client() as client:
        headers = client.get("/v1/contacts", params={"limit": 1}, headers={"Origin": "https://app.example"}).headers
    exposed = headers.get_list("Access-Control-Expose-Headers")
    assert ", ".join(exposed) == headers["access-control-expose-headers"]
    assert headers.get_list("nope") == []


def test_the_repr_of_headers_shows_no_value(session: Session) -> None:
    with session.client() as client:
        headers = client.get("/v1/whoami").headers
    assert "content-type" in repr(headers)
    assert "application/json" not in repr(headers)


def test_text_that_is_not_utf8_is_replaced(session: Session) -> None:
    with session.client() as client:
        response = client.get("/v1/bytes/64")
    assert len(response.content) == 64
    assert "\N{REPLACEMENT CHARACTER}" in response.text


def test_a_body_that_is_no_json_is_a_decode_error(session: Session) -> None:
    with session.client() as client:
        response = client.get("/v1/bytes/64")
    with pytest.raises(gatewright.DecodeError) as caught:
        response.json()
    assert isinstance(caught.value, ValueError)
    assert caught.value.body == b""
    assert caught.value.request_id == response.request_id
    assert "was answered 200 OK with a body that is no JSON" in str(caught.value)


@pytest.mark.parametrize("status", [400, 404, 422, 500])
def test_error_statuses_are_answers_where_one_says_so(session: Session, status: int) -> None:
    headers = {"X-Mock-Fault": str(status)}
    with session.client(raise_for_status=False) as client:
        assert client.get("/v1/whoami", headers=headers).status_code == status
        with pytest.raises(gatewright.Error):
            client.get("/v1/whoami", headers=headers, raise_for_status=True)
    with session.client() as client:
        assert not client.get("/v1/whoami", headers=headers, raise_for_status=False).is_success


async def test_error_statuses_are_answers_where_one_says_so_async(session: Session) -> None:
    async with session.async_client(raise_for_status=False) as client:
        response = await client.get("/v1/contacts/nope")
        assert response.status_code == 404
        with pytest.raises(gatewright.NotFoundError):
            await client.get("/v1/contacts/nope", raise_for_status=True)


def test_gzip_is_undone(session: Session) -> None:
    with session.client() as client:
        sent = dict(client.get("/v1/echo").json()["headers"])
    assert "gzip" in sent["accept-encoding"]


def test_the_state_tells_budget_and_quotas(session: Session) -> None:
    with session.client(auth="sk_test_pro_acme") as client:
        client.get("/v1/whoami")
        state = client.state()
    assert state["budget_left"] == state["budget_capacity"] == 500
    (limits,) = state["limits"]
    assert (limits["in_flight"], limits["queued"], limits["paused_for"]) == (0, 0, None)
    assert [(quota["policy"], quota["limit"]) for quota in limits["quotas"]] == [("burst", 300)]
