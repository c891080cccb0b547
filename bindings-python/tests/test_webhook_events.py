"""Typed events: the payload is read as the user's own model, and goes to the handler of its type."""

from __future__ import annotations

import asyncio
import enum
import json
from dataclasses import dataclass, field
from typing import Any, Literal

import pydantic
import pytest
from typing_extensions import NotRequired, TypedDict

from gatewright.webhooks import Events, Verified, Webhook, WebhookError, WebhookEventError, generate_secret

NOW = 1_700_000_000
WEBHOOK = Webhook(generate_secret())


def never(payload: Any, verified: Verified) -> None:
    pytest.fail(f"it is called with {payload} of {verified}")


def event(body: Any) -> Verified:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return WEBHOOK.verify(raw, WEBHOOK.sign(raw, message_id="m", timestamp=NOW), now=NOW)


class Plan(enum.Enum):
    FREE = "free"
    PAID = "paid"


@dataclass
class Address:
    city: str


@dataclass
class User:
    id: str
    age: int | None = None
    plan: Plan = Plan.FREE
    score: float = 0
    kind: Literal["person", "robot"] = "person"
    addresses: list[Address] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)


class Invoice(TypedDict):
    id: str
    total: int
    note: NotRequired[str]


class Account(pydantic.BaseModel):
    id: str
    seats: int


def test_a_payload_is_read_as_the_handlers_own_type() -> None:
    events = Events(payload_in="data")
    seen: list[Any] = []

    @events.on("user.created")
    def created(user: User, verified: Verified) -> None:
        seen.append((user, verified.message_id))

    @events.on("invoice.paid")
    def paid(invoice: Invoice, verified: Verified) -> None:
        seen.append((invoice, verified.message_id))

    def changed(account: Account, verified: Verified) -> None:
        seen.append((account, verified.message_id))

    assert events.on("account.changed", changed) is changed
    user = {
        "id": "u_1",
        "age": None,
        "plan": "paid",
        "score": 1,
        "new": True,
        "addresses": [{"city": "Ulm"}],
        "labels": {"a": "b"},
    }
    assert events.dispatch(event({"type": "user.created", "data": user}))
    assert events.dispatch(event({"type": "invoice.paid", "data": {"id": "in_1", "total": 5, "new": 1}}))
    assert events.dispatch(event({"type": "account.changed", "data": {"id": "a_1", "seats": 3}}))
    assert seen == [
        (User("u_1", None, Plan.PAID, 1, "person", [Address("Ulm")], {"a": "b"}), "m"),
        ({"id": "in_1", "total": 5}, "m"),
        (Account(id="a_1", seats=3), "m"),
    ]
    assert not events.dispatch(event({"type": "user.deleted", "data": {}})), "it has no handler"


WRONG: list[tuple[Any, str]] = [
    ({}, "payload.id is missing"),
    ({"id": 1}, "payload.id is a whole number, and not a text"),
    ({"id": "u", "age": True}, "payload.age is true or false, and not a whole number"),
    ({"id": "u", "plan": "gold"}, "payload.plan is a text that Plan does not have"),
    ({"id": "u", "kind": "cat"}, "payload.kind is none of 'person', 'robot'"),
    ({"id": "u", "addresses": [{"city": "Ulm"}, {}]}, "payload.addresses[1].city is missing"),
    ({"id": "u", "addresses": {}}, "payload.addresses is an object, and not a list"),
    ({"id": "u", "labels": {"a": None}}, "payload.labels.a is null, and not a text"),
    ([], "payload is a list, and not an object"),
]


@pytest.mark.parametrize(("data", "why"), WRONG)
def test_what_is_not_of_the_type_is_told_with_its_place(data: Any, why: str) -> None:
    events = Events(payload_in="data")
    events.on("user.created", never, model=User)
    with pytest.raises(WebhookEventError) as caught:
        events.dispatch(event({"type": "user.created", "data": data}))
    assert caught.value.code == "bad_payload"
    assert why in str(caught.value)
    assert isinstance(caught.value, WebhookError)


def test_what_pydantic_refuses_is_refused() -> None:
    events = Events()
    events.on("a", never, model=Account)
    with pytest.raises(WebhookEventError, match="event a: 1 validation error for Account") as caught:
        events.dispatch(event({"type": "a", "id": "a_1"}))
    assert isinstance(caught.value.__cause__, pydantic.ValidationError)


def test_types_are_where_the_sender_has_them() -> None:
    seen: list[Any] = []

    def handle(payload: Any, verified: Verified) -> None:
        seen.append(payload)

    slack = Events(type_in="event.type", payload_in="event")
    slack.on("app_mention", handle)
    assert slack.dispatch(event({"type": "event_callback", "event": {"type": "app_mention"}}))
    stripe = Events(payload_in="data.object")
    stripe.on("*", handle)
    assert stripe.dispatch(event({"type": "invoice.paid", "data": {"object": 1}}))
    github = Events(type_header="X-GitHub-Event")
    github.on("push", handle)
    assert github.dispatch(event({"ref": "main"}), {"x-github-event": "push"})
    assert github.dispatch(event({"ref": "main"}), [(b"X-Github-Event", b"push")])
    assert seen == [{"type": "app_mention"}, 1, {"ref": "main"}, {"ref": "main"}]
    unclear: list[list[tuple[str, str]]] = [[], [("x-github-event", "push"), ("X-GitHub-Event", "other")]]
    for headers in unclear:
        with pytest.raises(WebhookEventError) as caught:
            github.dispatch(event({}), headers)
        assert caught.value.code == "no_type"
    with pytest.raises(TypeError, match="hand the headers in"):
        github.dispatch(event({}))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"no json", "body_malformed"),
        ({}, "no_type"),
        ([], "no_type"),
        ({"type": 1}, "no_type"),
        ({"type": "a"}, "bad_payload"),
    ],
)
def test_what_is_no_event_is_told(body: Any, code: str) -> None:
    events = Events(payload_in="data")
    events.on("a", never)
    with pytest.raises(WebhookEventError) as caught:
        events.dispatch(event(body))
    assert caught.value.code == code


def test_handlers_may_be_asynchronous() -> None:
    events = Events()
    seen: list[Any] = []

    @events.on("later")
    async def later(payload: dict[str, Any], verified: Verified) -> None:
        await asyncio.sleep(0)
        seen.append(payload["type"])

    @events.on("now")
    def now(payload: dict[str, Any], verified: Verified) -> None:
        seen.append(payload["type"])

    async def run() -> None:
        assert await events.dispatch_async(event({"type": "later"}))
        assert await events.dispatch_async(event({"type": "now"}))
        assert not await events.dispatch_async(event({"type": "never"}))

    asyncio.run(run())
    assert seen == ["later", "now"]
    with pytest.raises(TypeError, match=r"await dispatch_async\(\)"):
        events.dispatch(event({"type": "later"}))


def test_a_model_that_cannot_be_seen_is_asked_for() -> None:
    class Hidden:
        pass

    def handle(payload: Hidden, verified: Verified) -> None:
        """Its type is local."""

    with pytest.raises(TypeError, match="give model="):
        Events().on("a", handle)
    events = Events()
    events.on("a", handle, model=Hidden)
    with pytest.raises(WebhookEventError, match="is no model that can be read from JSON"):
        events.dispatch(event({"type": "a"}))
