"""What the adapters of all frameworks do: verify, answer challenges, handle once, and keep reasons to the developer."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from typing import TYPE_CHECKING, NamedTuple

from gatewright._errors import WebhookEventError, WebhookVerificationError
from gatewright.webhooks._replay import MemoryReplayGuard

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from gatewright._native import Challenge, Verified, Webhook
    from gatewright.webhooks._replay import AsyncReplayGuard, ReplayGuard, Reservation

logger = logging.getLogger("gatewright.webhooks")

REFUSED = "webhook verification failed"
"""What every sender is told, whatever the reason."""

BETWEEN_EXPLANATIONS = 1.0
"""Seconds: an explanation may take a tenth of one, and whoever sends what does not verify must not buy many."""


class Answer(NamedTuple):
    """What to answer instead of calling the handler."""

    status: int
    body: str = ""
    content_type: str = "text/plain; charset=utf-8"


class Incoming(NamedTuple):
    """A request, as the framework has it."""

    body: bytes
    headers: Any
    url: str
    method: str


class Receiver:
    """Receives the webhooks of one sender."""

    def __init__(
        self,
        webhook: Webhook,
        *,
        guard: ReplayGuard | AsyncReplayGuard | None,
        sender: str | None,
        message_id: Callable[[Verified], str | None] | None,
        explain: bool,
        on_challenge: Callable[[Challenge], object] | None,
        clock: Callable[[], float],
    ) -> None:
        self.webhook = webhook
        self._guard = guard
        self._sender = webhook.scheme if sender is None else sender
        self._message_id = message_id
        self._explain = explain
        self._on_challenge = on_challenge
        self._clock = clock
        self._explained_at = float("-inf")

    def too_large(self, length: int | str | None) -> bool:
        """Whether a declared length is above the cap; one that is no number is for the framework to refuse."""
        try:
            return length is not None and int(length) > self.webhook.max_body
        except ValueError:
            return False

    def refuse_too_large(self) -> Answer:
        """The answer to a body above the cap, which nobody read."""
        logger.warning("webhook refused (body_too_large): the body is larger than max_body=%d", self.webhook.max_body)
        return Answer(413, REFUSED)

    def verify(self, incoming: Incoming) -> Verified:
        """The verdict."""
        body, headers, url, method = incoming
        return self.webhook.verify(body, headers, url=url, method=method, now=self._clock())

    def refuse(self, incoming: Incoming, error: WebhookVerificationError) -> Answer:
        """The answer to what does not verify; its reason goes to the log."""
        if error.code == "missing_certificate":
            # Not the sender's fault: it should try again.
            logger.error("webhook not verified: %s", error)
            return Answer(503, REFUSED)
        logger.warning("webhook refused (%s): %s", error.code, self._reason(incoming, error))
        if error.code == "body_too_large":
            return Answer(413, REFUSED)
        # Discord tests that a wrong signature gets this status.
        return Answer(401 if self.webhook.scheme == "discord" else 400, REFUSED)

    def _reason(self, incoming: Incoming, error: WebhookVerificationError) -> str:
        at = time.monotonic()
        if not self._explain or at - self._explained_at < BETWEEN_EXPLANATIONS:
            return str(error)
        self._explained_at = at
        body, headers, url, method = incoming
        return self.webhook.explain(body, headers, url=url, method=method, now=self._clock())

    def challenge(self, verified: Verified) -> Answer | None:
        """The answer to a question to the endpoint."""
        challenge = self.webhook.challenge(verified)
        if challenge is None:
            return None
        if self._on_challenge is not None:
            self._on_challenge(challenge)
        elif challenge.visit is not None:
            logger.warning("webhook: a subscription waits to be confirmed; on_challenge= gets the URL to visit")
        return Answer(challenge.status, challenge.body, challenge.content_type)

    def _key(self, verified: Verified) -> str:
        message_id = None if self._message_id is None else self._message_id(verified)
        return verified.replay_key(self._sender, message_id=message_id)

    def run(self, incoming: Incoming, handle: Callable[[Verified], Any], status_of: Callable[[Any], int]) -> Any:
        """Verifies, and calls the handler once for each message. What it gives, or an :class:`Answer`."""
        try:
            verified = self.verify(incoming)
        except WebhookVerificationError as error:
            return self.refuse(incoming, error)
        answer = self.challenge(verified)
        if answer is not None:
            return answer
        guard = self._guard
        if guard is None:
            try:
                return handle(verified)
            except WebhookEventError as error:
                return _unreadable(error)
        key = self._key(verified)
        try:
            reservation = _of_sync(guard.reserve(key, self._clock()))
        except Exception as error:  # noqa: BLE001, whatever a store raises
            return _no_guard(error)
        answer = _unless_new(reservation)
        if answer is not None:
            return answer
        done = False
        try:
            given = handle(verified)
            done = status_of(given) < 400
        except WebhookEventError as error:
            return _unreadable(error)
        finally:
            try:
                _lost(_of_sync((guard.commit if done else guard.release)(reservation, self._clock())))
            except Exception as error:  # noqa: BLE001, whatever a store raises
                _not_settled(done, error)
        return given

    async def run_async(
        self, incoming: Incoming, handle: Callable[[Verified], Awaitable[Any]], status_of: Callable[[Any], int]
    ) -> Any:
        """As :meth:`run`; what blocks is on another thread."""
        fetches = self.webhook.scheme in ("sns", "paypal")
        try:
            verified = await asyncio.to_thread(self.verify, incoming) if fetches else self.verify(incoming)
        except WebhookVerificationError as error:
            return await asyncio.to_thread(self.refuse, incoming, error)
        answer = await asyncio.to_thread(self.challenge, verified) if fetches else self.challenge(verified)
        if answer is not None:
            return answer
        guard = self._guard
        if guard is None:
            try:
                return await handle(verified)
            except WebhookEventError as error:
                return _unreadable(error)
        key = self._key(verified)
        try:
            reservation: Reservation = await self._ask(guard.reserve, key)
        except Exception as error:  # noqa: BLE001, whatever a store raises
            return _no_guard(error)
        answer = _unless_new(reservation)
        if answer is not None:
            return answer
        done = False
        try:
            given = await handle(verified)
            done = status_of(given) < 400
        except WebhookEventError as error:
            return _unreadable(error)
        finally:
            try:
                _lost(await self._ask(guard.commit if done else guard.release, reservation))
            except Exception as error:  # noqa: BLE001, whatever a store raises
                _not_settled(done, error)
        return given

    async def _ask(self, step: Callable[..., Any], what: object) -> Any:
        now = self._clock()
        if inspect.iscoroutinefunction(step) or isinstance(self._guard, MemoryReplayGuard):
            answer = step(what, now)
        else:
            answer = await asyncio.to_thread(step, what, now)
        return await answer if inspect.isawaitable(answer) else answer


def _of_sync(answer: Any) -> Any:
    if inspect.iscoroutine(answer):
        answer.close()
        raise TypeError("this guard is awaited: it is for asyncio's frameworks")
    return answer


def _unless_new(reservation: Reservation) -> Answer | None:
    if reservation.state == "new":
        return None
    return Answer(200) if reservation.state == "done" else Answer(503)


def _unreadable(error: WebhookEventError) -> Answer:
    logger.warning("webhook not handled (%s): %s", error.code, error)
    return Answer(422, REFUSED)


def _no_guard(error: Exception) -> Answer:
    logger.error("webhook not handled: the replay guard could not be asked", exc_info=error)
    return Answer(503)


def _lost(settled: bool) -> None:
    if not settled:
        logger.warning("a webhook's handler took longer than the lease of the replay guard; it may have run twice")


def _not_settled(done: bool, error: Exception) -> None:
    what = "handled, and the replay guard could not be told" if done else "not handled, and not released"
    logger.error("webhook %s; it may come again once its lease ends", what, exc_info=error)
