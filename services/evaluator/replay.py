"""Recorded decisions made again: the same event, facts and rules must give the same bytes."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime

from services.evaluator import answer, recording
from services.evaluator.promotion.decision import judge
from services.evaluator.promotion.limits import Limit
from services.evaluator.promotion.ruleset import Ruleset
from services.evaluator.receipt import decision_id, decision_of
from services.evaluator.store import recordings as recording_store
from services.evaluator.store.recordings import Recording
from shared.codec import decode
from shared.database import Connection
from shared.events.checkout import Cart, Sale

_KEPT_RULESETS = 50


@dataclass(frozen=True, slots=True)
class Difference:
    """A decision that would be another today: where the bytes first differ, and both from there."""

    decision_id: str
    received_at: datetime
    position: int
    recorded: bytes
    again: bytes


class NotAskedError(LookupError):
    """The decision depends on a limit now that it did not ask for then."""


def event_of(recorded: Recording) -> Cart | Sale:
    """The event that was recorded."""
    if recorded.kind == "cart":
        return decode(Cart, recorded.body)
    return decode(Sale, recorded.body)


def again(recorded: Recording, facts: recording.Facts, ruleset: Ruleset) -> bytes:
    """The decision, made again. Raises ``NotAskedError``."""
    event = event_of(recorded)
    given = recording.circumstances_of(event, recorded.event_key, facts, ruleset)

    def free(limit: Limit) -> int:
        try:
            return facts.free[limit.limit_id]
        except KeyError:
            raise NotAskedError(limit.limit_id) from None

    return answer.encode(decision_of(event, given, judge(given.considered, free)))


def compare(recorded: Recording, ruleset: Ruleset, facts: recording.Facts) -> Difference | None:
    """How the decision would differ today; None if it would not by a byte."""
    try:
        made = again(recorded, facts, ruleset)
    except NotAskedError as error:
        made = f"asks for the limit {error}, which it did not ask for".encode()
    if made == recorded.decision:
        return None
    position = next(
        (n for n, (a, b) in enumerate(zip(made, recorded.decision, strict=False)) if a != b),
        min(len(made), len(recorded.decision)),
    )
    return Difference(
        decision_id(recorded.event_key),
        recorded.received_at,
        position,
        recorded.decision[position:],
        made[position:],
    )


@dataclass
class RulesetHistory:
    """Rulesets as they were, each made from the nearest earlier one that is still there."""

    connection: Connection
    _kept: dict[int, Ruleset] = field(default_factory=dict)

    async def at(self, version: int) -> Ruleset:
        """The ruleset of a version."""
        if version not in self._kept:
            earlier = [known for known in self._kept if known < version]
            start = self._kept[max(earlier)] if earlier else Ruleset.empty()
            after = max(earlier, default=-1)
            changed = await recording_store.campaigns_between(self.connection, after, version)
            if len(self._kept) >= _KEPT_RULESETS:
                del self._kept[min(self._kept)]
            self._kept[version] = start.with_campaigns(changed, version)
        return self._kept[version]


async def replay(
    connection: Connection, start: datetime, end: datetime
) -> AsyncIterator[Difference | None]:
    """Make the decisions of ``start`` ≤ received < ``end`` again; None for each that is the same."""
    rulesets = RulesetHistory(connection)
    # One snapshot: what comes in meanwhile is not part of it.
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        async for recorded in recording_store.recordings(connection, start, end):
            facts = recording.decode_facts(recorded.facts)
            yield compare(recorded, await rulesets.at(facts.ruleset_version), facts)
