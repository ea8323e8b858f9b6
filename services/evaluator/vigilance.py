"""Whose codes are listened to when quotes are asked for: looked up with the facts, saved a group at a time.

What is held against somebody is known here at once and to other processes within a second: what a
guesser can get in meanwhile does not depend on how long PostgreSQL takes.
"""

import asyncio
from collections.abc import Awaitable, Collection, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from services.evaluator import metrics
from services.evaluator.answer import Decision
from services.evaluator.group_commit import GroupCommit
from services.evaluator.guessing import Guesses, Lockout, Subject, Tally
from services.evaluator.lookup import Lookup
from services.evaluator.outgoing import SOURCE, attempt_message
from services.evaluator.store import guessing as guessing_store
from shared import clock, outbox
from shared.database import Connection
from shared.outbox import Message
from shared.supervision import TRANSIENT

_WITHIN_S = 1.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Noted:
    """What one quote adds: failed codes that are held against subjects, or an attempt to tell of."""

    now: datetime
    blamed: dict[Subject, list[bytes]]
    messages: tuple[Message, ...] = ()


async def save(connection: Connection, noted: Sequence[Noted]) -> list[None]:
    """Save what quotes have added, in the caller's transaction."""
    now = max(one.now for one in noted)
    blamed: dict[Subject, list[bytes]] = {}
    for one in noted:
        for subject, failed in one.blamed.items():
            blamed.setdefault(subject, []).extend(failed)
    messages = [message for one in noted for message in one.messages]
    if messages:
        await outbox.put(connection, messages, SOURCE, now)
    if blamed:
        await guessing_store.add(connection, blamed, now)
    return [None] * len(noted)


@dataclass(frozen=True, slots=True)
class Vigilance:
    """Knows who is locked out, as far as quotes have to."""

    tallies: Lookup[Subject, Tally]
    group: GroupCommit[Noted, None]
    _saving: set[asyncio.Task[None]] = field(default_factory=set)

    def learn(self, subjects: Iterable[Subject]) -> Awaitable[None] | None:
        """Look up what is held against these."""
        return self.tallies.learn(subjects)

    def lockout(self, subjects: Collection[Subject], now: datetime) -> Lockout | None:
        """The longest lock-out of these, if one is locked out."""
        return Guesses(self.tallies.memory.found(subjects)).lockout(subjects, now)

    def blame(
        self, subjects: Collection[Subject], failed: Collection[bytes], now: datetime
    ) -> None:
        """Hold failed codes against all of these."""
        guesses = Guesses(self.tallies.memory.found(subjects))
        guesses.blame(subjects, failed, now)
        if guesses.blamed:
            self.tallies.memory.put(guesses.blamed, guesses.tallies, clock.monotonic())
            # Nobody waits for it: it counts here already.
            self._start(self._save(Noted(now, guesses.blamed)))

    async def tell(self, decision: Decision, codes: int, lockout: Lockout) -> None:
        """Tell of so many codes that were not listened to."""
        metrics.LOCKED_OUT.inc()
        await self._save(
            Noted(decision.decided_at, {}, (attempt_message(decision, codes, lockout),))
        )

    def _start(self, saving: Coroutine[Any, Any, None]) -> None:
        """Run it beside the quote; the loop alone would not keep it."""
        task = asyncio.create_task(saving)
        self._saving.add(task)
        task.add_done_callback(self._saving.discard)

    async def _save(self, noted: Noted) -> None:
        try:
            await self.group.submit(noted, _WITHIN_S)
        except TRANSIENT as error:
            # Quotes go on without PostgreSQL; what is held in memory still counts.
            log.warning("failed codes were not saved", error=type(error).__name__)
