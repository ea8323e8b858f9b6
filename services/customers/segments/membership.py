"""Customers enter and leave segments: what is found of them is compared with where they were, and said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.customers.attention import SOURCE, Finding
from services.customers.profile import seconds
from services.customers.segments import store
from services.customers.segments.assessment import Rules
from services.customers.segments.check import NEVER
from services.customers.segments.store import Scores, Standing
from services.customers.store import Due
from shared.database import Connection
from shared.events.customers import Forecast, Rfm
from shared.events.reference import SegmentChange
from shared.outbox import Message, put
from shared.topics import SEGMENTS

_TICK = timedelta(microseconds=1)
_NOBODY: Mapping[str, Standing] = {}
_LAST = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())


@dataclass
class Memberships:
    """Evaluates segments. It keeps the compiled definitions until they change."""

    _rules: Rules = Rules()  # noqa: RUF009 - it is frozen
    _revision: int = -1

    async def evaluate(
        self,
        connection: Connection,
        seen: Sequence[Due],
        forecasts: Mapping[str, Forecast],
        now: datetime,
    ) -> dict[str, Finding]:
        """What is found of the customers; memberships that changed are saved, and leave by the outbox.

        Of customers without a profile nothing is found. The caller sees to it that nobody else evaluates them.
        """
        await self._refresh(connection)
        there = [one for one in seen if one.version > 0]
        customer_ids = [one.customer_id for one in there]
        standings = await store.standings(connection, customer_ids)
        scores = await store.scores(connection, customer_ids)
        findings: dict[str, Finding] = {}
        changes: list[SegmentChange] = []
        rescored: dict[str, Rfm | None] = {}
        for customer_id, _, _, state, _ in there:
            found = self._rules.assess(state, forecasts.get(customer_id), seconds(now))
            before = standings.get(customer_id, _NOBODY)
            of_customer = list(_changes(customer_id, before, found.segments, now))
            changes += of_customer
            if _fifths(found.rfm) != scores.get(customer_id):
                rescored[customer_id] = found.rfm
            findings[customer_id] = Finding(
                segments=found.segments,
                rfm=found.rfm,
                changed=bool(of_customer) or customer_id in rescored,
                until=_instant(found.until),
            )
        await store.save_scores(connection, rescored)
        if changes:
            await store.save(connection, changes, now)
            await put(connection, [_message(change) for change in changes], SOURCE, now)
        return findings

    async def _refresh(self, connection: Connection) -> None:
        revision = await store.revision(connection)
        if revision != self._revision:
            self._rules = await rules(connection)
            self._revision = revision


async def rules(connection: Connection) -> Rules:
    """What customers are evaluated by just now."""
    return Rules(await store.definitions(connection), await store.fifths(connection))


def _changes(
    customer_id: str, before: Mapping[str, Standing], segments: frozenset[str], now: datetime
) -> list[SegmentChange]:
    """Who enters and who leaves, later than whatever was said of the same before."""
    were = {segment_id for segment_id, standing in before.items() if standing.member}
    return [
        SegmentChange(
            customer_id=customer_id,
            segment_id=segment_id,
            member=segment_id in segments,
            changed_at=max(now, before[segment_id].changed_at + _TICK)
            if segment_id in before
            else now,
        )
        for segment_id in sorted(were ^ segments)
    ]


def _message(change: SegmentChange) -> Message:
    key = f"{change.customer_id}:{change.segment_id}"
    return Message(SEGMENTS, key.encode(), change, f"{key}:{change.changed_at.timestamp():.6f}")


def _fifths(rfm: Rfm | None) -> Scores | None:
    return None if rfm is None else (rfm.recency, rfm.frequency, rfm.monetary)


def _instant(until: int) -> datetime | None:
    return datetime.fromtimestamp(until, UTC) if until < min(NEVER, _LAST) else None
