"""One test's own world in a gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gatewright import AsyncClient, Client

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from gatewright.testing._gateway import Gateway
    from gatewright.testing._records import ClockState, Effects, JournalEntry, Token, Verdict


def key(tier: str = "unlimited", tenant: str = "acme") -> str:
    """An API key of a tier (`tiny`, `free`, `starter`, `pro`, `enterprise`, `unlimited`) for a tenant."""
    return f"sk_test_{tier}_{tenant}"


class Session:
    """A world of its own in a gateway: records, clock, limits, faults and journal.

    Any client plays in it that sends `headers`. It is forgotten by `close`, by `with`, or with its gateway.
    """

    gateway: Gateway
    """The gateway it is in."""
    name: str
    """What requests name it by, in the header `X-Mock-Session`."""

    def __init__(self, gateway: Gateway, name: str) -> None:
        self.gateway = gateway
        self.name = name

    @property
    def url(self) -> str:
        """Where clients call."""
        return self.gateway.url

    @property
    def headers(self) -> dict[str, str]:
        """What a client has to send with each request so that it plays in this session."""
        return {"X-Mock-Session": self.name}

    def client(self, **settings: Any) -> Client:
        """A `gatewright.Client` that plays in this session, with a key that has no limits unless `auth` is given."""
        return Client(self.url, **self._settings(settings))

    def async_client(self, **settings: Any) -> AsyncClient:
        """The same for asyncio."""
        return AsyncClient(self.url, **self._settings(settings))

    def _settings(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"auth": key(), **given, "headers": {**self.headers, **given.get("headers", {})}}

    # --- faults

    def script(self, op: str, *faults: str) -> None:
        """Adds a rule that plays these faults, one for each request of an operation: `"503;ra=2"`, `"reset"`, `"lost"`.

        `op` is an operation such as `contacts.create`, and may end in `*`.
        """
        self.add_faults({"match": {"op": op}, "script": list(faults)})

    def outage(self, fault: str = "503", *, op: str = "*", name: str = "outage") -> None:
        """Gives every request of an operation this fault until `clear_faults(name)`."""
        self.add_faults({"match": {"op": op}, "always": fault, "name": name})

    def set_faults(self, *rules: dict[str, Any]) -> None:
        """Replaces the fault rules. `docs/gateway.md` lists their members."""
        self._ask("PUT", "faults", {"rules": rules})

    def add_faults(self, *rules: dict[str, Any]) -> None:
        """Adds fault rules behind those that are there."""
        self._ask("POST", "faults", {"rules": rules})

    def faults(self) -> list[dict[str, Any]]:
        """The fault rules, and how far each has got."""
        rules: list[dict[str, Any]] = self._ask("GET", "faults")["rules"]
        return rules

    def clear_faults(self, name: str | None = None) -> None:
        """Takes all fault rules away, or those of one name."""
        self._ask("DELETE", "faults", name=name)

    # --- clock

    def clock(self) -> ClockState:
        """What its clock shows."""
        return self._clock("GET")

    def freeze(self) -> ClockState:
        """Stops its clock: limits, keys, tokens and webhooks stand still. Waits of clients are real time."""
        return self._clock("POST", freeze=True)

    def advance(self, seconds: float) -> ClockState:
        """Moves its clock forward; webhooks that fall due on the way are sent first."""
        return self._clock("POST", advance_ms=round(seconds * 1_000))

    def run_until_idle(self) -> ClockState:
        """Moves its clock from webhook to webhook until none is left."""
        return self._clock("POST", run_until_idle=True)

    def resume(self) -> ClockState:
        """Lets real time move its clock again."""
        return self._clock("POST", resume=True)

    def _clock(self, method: str, **change: object) -> ClockState:
        state: ClockState = self._ask(method, "clock", change or None)
        return state

    # --- what happened

    def journal(self, *, since: int = 0, op: str | None = None) -> list[JournalEntry]:
        """The requests that arrived, oldest first: after `since` (a `seq`), of one operation."""
        entries: list[JournalEntry] = self._ask("GET", "journal", since=since, op=op)["entries"]
        return entries

    def clear_journal(self) -> None:
        """Forgets them."""
        self._ask("DELETE", "journal")

    def effects(self, op: str) -> Effects:
        """The side effects of an operation, such as `contacts.create`."""
        effects: Effects = self._ask("GET", "effects", op=op)
        return effects

    def limits(self) -> list[dict[str, Any]]:
        """What each tenant has used of its limits."""
        tenants: list[dict[str, Any]] = self._ask("GET", "limits")["tenants"]
        return tenants

    def verdict(self) -> Verdict:
        """How the client behaved, graded from what arrived."""
        verdict: Verdict = self._ask("GET", "verdict")
        return verdict

    # --- the session itself

    def key(self, tier: str = "unlimited", tenant: str = "acme") -> str:
        """An API key: tiers are `tiny`, `free`, `starter`, `pro`, `enterprise`, `unlimited`."""
        return key(tier, tenant)

    def token(self, seconds: float, *, tier: str = "unlimited", tenant: str = "acme") -> Token:
        """A bearer token that ends after so much of the session's clock."""
        wanted = {"tier": tier, "tenant": tenant, "ttl_ms": round(seconds * 1_000)}
        token: Token = self._ask("POST", "tokens", wanted)
        return token

    def set(self, **options: object) -> dict[str, Any]:
        """Changes its options, such as `dialect="github"`, and answers with all of them."""
        changed: dict[str, Any] = self._ask("POST", "session", options)
        return changed

    def reset(self) -> None:
        """Makes it as new."""
        self._ask("POST", "reset")

    def close(self) -> None:
        """Forgets it."""
        self._ask("DELETE", "sessions")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None, /
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Session({self.name!r})"

    def _ask(self, method: str, path: str, body: object = None, **query: str | int | None) -> Any:
        return self.gateway.admin(method, path, body, session=self.name, **query)
