"""Lists, page by page and item by item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import gatewright

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from mock_gateway import Session

TOTAL = 45


def ids(items: list[Any]) -> list[str]:
    return [item["id"] for item in items]


EXPECTED = [f"ct_{number:06}" for number in range(1, TOTAL + 1)]


def test_pages_follow_one_another_to_the_end(session: Session) -> None:
    with session.client() as client:
        pages = list(client.pages("/v1/contacts", params={"limit": 10}))
    assert [len(page.items) for page in pages] == [10, 10, 10, 10, 5]
    assert [item_id for page in pages for item_id in ids(page.items)] == EXPECTED
    assert all(page.response.status_code == 200 for page in pages)
    assert isinstance(pages[0].response, gatewright.Response)


async def test_pages_follow_one_another_to_the_end_async(session: Session) -> None:
    async with session.async_client() as client:
        pages = [page async for page in client.pages("/v1/contacts", params={"limit": 10})]
    assert [len(page.items) for page in pages] == [10, 10, 10, 10, 5]


def test_items_are_those_of_all_pages(session: Session) -> None:
    with session.client() as client:
        assert ids(list(client.items("/v1/contacts", params={"limit": 20}))) == EXPECTED


async def test_items_are_those_of_all_pages_async(session: Session) -> None:
    async with session.async_client() as client:
        assert ids([item async for item in client.items("/v1/contacts", params={"limit": 20})]) == EXPECTED


def test_a_page_is_fetched_when_it_is_needed(session: Session) -> None:
    with session.client() as client:
        items = client.items("/v1/contacts", params={"limit": 10})
        assert session.journal() == []
        for _ in range(10):
            next(items)
        assert len(session.journal()) == 1
        next(items)
        assert len(session.journal()) == 2


async def test_a_page_is_fetched_when_it_is_needed_async(session: Session) -> None:
    async with session.async_client() as client:
        items: AsyncIterator[Any] = client.items("/v1/contacts", params={"limit": 10})
        assert session.journal() == []
        await anext(items)
        assert len(session.journal()) == 1


def test_each_page_is_retried_by_itself(session: Session) -> None:
    session.script("contacts.list", "ok", "503", "ok", "reset")
    with session.client() as client:
        pages = list(client.pages("/v1/contacts", params={"limit": 20}))
    assert [len(page.response.attempts) for page in pages] == [1, 2, 2]


def test_parameters_and_headers_go_with_every_page(session: Session) -> None:
    with session.client() as client:
        list(client.pages("/v1/contacts", params={"limit": 20}, headers={"X-Mine": "here"}))
    assert session.header_of("x-mine") == ["here"] * 3
    assert all("limit=20" in entry["query"] for entry in session.journal())


def test_an_error_of_a_later_page_comes_when_it_is_reached(session: Session) -> None:
    session.script("contacts.list", "ok", "403")
    with session.client() as client:
        pages: Iterator[gatewright.Page] = client.pages("/v1/contacts", params={"limit": 20})
        assert len(next(pages).items) == 20
        with pytest.raises(gatewright.PermissionDeniedError):
            next(pages)


def test_an_answer_without_a_list_is_a_decode_error(session: Session) -> None:
    with session.client() as client, pytest.raises(gatewright.DecodeError, match='no list "data"'):
        list(client.pages("/v1/whoami"))


def test_lists_may_name_their_members_otherwise(session: Session) -> None:
    with session.client() as client:
        (page,) = client.pages("/v1/whoami", items="scopes")
    assert "contacts:read" in page.items
