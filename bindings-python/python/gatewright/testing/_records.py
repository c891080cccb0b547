"""What the gateway answers, as types. `docs/gateway.md` explains each member."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from typing import Literal

    Mark = Literal["unseen", "kept", "minor", "major", "critical"]
    Grade = Literal["A", "B", "C", "D", "F"]


class Told(TypedDict):
    """What an answer's headers said about coming back."""

    retry_after_ms: int | None
    by_date: bool
    remaining: int | None
    reset_s: int | None
    should_retry: bool | None


class JournalEntry(TypedDict):
    """One request that arrived."""

    seq: int
    at_ms: int
    received_ns: int
    took_ns: int | None
    left_ns: int | None
    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    body_base64: str
    body_length: int
    body_sha256: str
    body_complete: bool
    key_fingerprint: str | None
    signature: str | None
    fault: str | None
    status: int | None
    outcome: int | None
    committed: bool
    replayed: bool
    op: str
    connection: int
    region: str | None
    logical: str
    attempt: int
    request_id: str
    told: Told | None


class EffectsByKey(TypedDict):
    """Side effects by the idempotency keys they came with."""

    distinct: int
    duplicates: int
    without_key: int


class Effects(TypedDict):
    """The side effects of one operation."""

    op: str
    count: int
    by_key: EffectsByKey
    distinct_external_ids: int
    doubled: list[str]


class ClockState(TypedDict):
    """What a session's clock shows."""

    now_ms: int
    now: str
    frozen: bool


class Token(TypedDict):
    """A bearer token that ends."""

    token: str
    expires_at_ms: int


class Finding(TypedDict):
    """One thing that was wrong."""

    aspect: str
    mark: Mark
    seq: int | None
    text: str


class AttemptVerdict(TypedDict):
    """One attempt of a call, in milliseconds of real time since the session's first request."""

    seq: int
    start_ms: float
    end_ms: float | None
    outcome: str
    fault: str | None
    waited_ms: float | None
    asked_ms: int | None
    remaining: int | None
    connection: int
    committed: bool


class CallVerdict(TypedDict):
    """One call: what a client sent until it had its answer or gave up."""

    number: int
    name: str
    op: str
    key: str | None
    grade: Grade
    outcome: str
    effects: int
    attempts: list[AttemptVerdict]
    findings: list[Finding]


class AspectVerdict(TypedDict):
    """One aspect of a client's behaviour."""

    aspect: str
    mark: Mark
    seen: int
    broken: int
    reason: str
    asks: str
    advice: str | None
    source: str


class Verdict(TypedDict):
    """How the client of a session behaved."""

    session: str
    grade: Grade | None
    reason: str
    requests: int
    logical_calls: int
    connections: int
    agents: list[str]
    aspects: list[AspectVerdict]
    calls: list[CallVerdict]
    calls_left_out: int
