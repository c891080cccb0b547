"""The gateway for asyncio: the same methods, each awaited. They run in asyncio's threads and so hold up nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from gatewright.testing._gateway import Gateway

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping
    from types import TracebackType

    from typing_extensions import Self

    from gatewright import AsyncClient
    from gatewright.testing._records import ClockState, Effects, JournalEntry, Token, Verdict
    from gatewright.testing._session import Session


class AsyncGateway:
    """A running gateway, for asyncio: `async with AsyncGateway() as gateway`. See `Gateway`."""

    def __init__(
        self,
        *,
        program: str | os.PathLike[str] | None = None,
        workers: int = 1,
        regions: Iterable[str] = (),
        arguments: Iterable[str] = (),
    ) -> None:
        self.sync: Gateway = Gateway(program=program, workers=workers, regions=regions, arguments=arguments)
        """The same gateway without asyncio."""

    @property
    def url(self) -> str:
        """Where clients call: `http://127.0.0.1:PORT`."""
        return self.sync.url

    @property
    def admin_url(self) -> str:
        """The admin port."""
        return self.sync.admin_url

    @property
    def regions(self) -> Mapping[str, str]:
        """The URL of each region."""
        return self.sync.regions

    async def session(self, name: str | None = None, /, **options: object) -> AsyncSession:
        """A world of its own. See `Gateway.session`."""
        return AsyncSession(await asyncio.to_thread(self.sync.session, name, **options))

    async def set_region(self, name: str, *, up: bool) -> None:
        """Closes the port of a region, with its connections, or opens it again."""
        await asyncio.to_thread(self.sync.set_region, name, up=up)

    async def admin(self, method: str, path: str, body: object = None, **query: str | int | None) -> Any:
        """Asks the admin port. See `Gateway.admin`."""
        return await asyncio.to_thread(self.sync.admin, method, path, body, **query)

    async def stop(self) -> None:
        """Ends it, and returns when it has ended. May be called again."""
        await asyncio.to_thread(self.sync.stop)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None, /
    ) -> None:
        await self.stop()


class AsyncSession:
    """A world of its own in a gateway, for asyncio. See `Session`."""

    def __init__(self, session: Session) -> None:
        self.sync = session
        """The same session without asyncio."""

    @property
    def name(self) -> str:
        """What requests name it by, in the header `X-Mock-Session`."""
        return self.sync.name

    @property
    def url(self) -> str:
        """Where clients call."""
        return self.sync.url

    @property
    def headers(self) -> dict[str, str]:
        """What a client has to send with each request so that it plays in this session."""
        return self.sync.headers

    def client(self, **settings: Any) -> AsyncClient:
        """A `gatewright.AsyncClient` that plays in this session. See `Session.client`."""
        return self.sync.async_client(**settings)

    def key(self, tier: str = "unlimited", tenant: str = "acme") -> str:
        """An API key: tiers are `tiny`, `free`, `starter`, `pro`, `enterprise`, `unlimited`."""
        return self.sync.key(tier, tenant)

    async def script(self, op: str, *faults: str) -> None:
        """Adds a rule that plays these faults, one for each request of an operation. See `Session.script`."""
        await asyncio.to_thread(self.sync.script, op, *faults)

    async def outage(self, fault: str = "503", *, op: str = "*", name: str = "outage") -> None:
        """Gives every request of an operation this fault until `clear_faults(name)`."""
        await asyncio.to_thread(self.sync.outage, fault, op=op, name=name)

    async def set_faults(self, *rules: dict[str, Any]) -> None:
        """Replaces the fault rules. `docs/gateway.md` lists their members."""
        await asyncio.to_thread(self.sync.set_faults, *rules)

    async def add_faults(self, *rules: dict[str, Any]) -> None:
        """Adds fault rules behind those that are there."""
        await asyncio.to_thread(self.sync.add_faults, *rules)

    async def faults(self) -> list[dict[str, Any]]:
        """The fault rules, and how far each has got."""
        return await asyncio.to_thread(self.sync.faults)

    async def clear_faults(self, name: str | None = None) -> None:
        """Takes all fault rules away, or those of one name."""
        await asyncio.to_thread(self.sync.clear_faults, name)

    async def clock(self) -> ClockState:
        """What its clock shows."""
        return await asyncio.to_thread(self.sync.clock)

    async def freeze(self) -> ClockState:
        """Stops its clock: limits, keys, tokens and webhooks stand still. Waits of clients are real time."""
        return await asyncio.to_thread(self.sync.freeze)

    async def advance(self, seconds: float) -> ClockState:
        """Moves its clock forward; webhooks that fall due on the way are sent first."""
        return await asyncio.to_thread(self.sync.advance, seconds)

    async def run_until_idle(self) -> ClockState:
        """Moves its clock from webhook to webhook until none is left."""
        return await asyncio.to_thread(self.sync.run_until_idle)

    async def resume(self) -> ClockState:
        """Lets real time move its clock again."""
        return await asyncio.to_thread(self.sync.resume)

    async def journal(self, *, since: int = 0, op: str | None = None) -> list[JournalEntry]:
        """The requests that arrived, oldest first: after `since` (a `seq`), of one operation."""
        return await asyncio.to_thread(self.sync.journal, since=since, op=op)

    async def clear_journal(self) -> None:
        """Forgets them."""
        await asyncio.to_thread(self.sync.clear_journal)

    async def effects(self, op: str) -> Effects:
        """The side effects of an operation, such as `contacts.create`."""
        return await asyncio.to_thread(self.sync.effects, op)

    async def limits(self) -> list[dict[str, Any]]:
        """What each tenant has used of its limits."""
        return await asyncio.to_thread(self.sync.limits)

    async def verdict(self) -> Verdict:
        """How the client behaved, graded from what arrived."""
        return await asyncio.to_thread(self.sync.verdict)

    async def token(self, seconds: float, *, tier: str = "unlimited", tenant: str = "acme") -> Token:
        """A bearer token that ends after so much of the session's clock."""
        return await asyncio.to_thread(self.sync.token, seconds, tier=tier, tenant=tenant)

    async def set(self, **options: object) -> dict[str, Any]:
        """Changes its options, such as `dialect="github"`, and answers with all of them."""
        return await asyncio.to_thread(self.sync.set, **options)

    async def reset(self) -> None:
        """Makes it as new."""
        await asyncio.to_thread(self.sync.reset)

    async def close(self) -> None:
        """Forgets it."""
        await asyncio.to_thread(self.sync.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None, /
    ) -> None:
        await self.close()
