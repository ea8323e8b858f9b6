"""The draft's caps, settled in time order: who still gets a slot, and from when on nobody does.

Receipts were decided as if every cap were free. Going through them by time, the first that finds too
little left must be decided again with what is left; ``settle`` says which, and goes on with a guess.
Once those are decided it settles all anew; what is before the first guess is final, so that it ends.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from services.evaluator.backtest.trial import Missed, Outcome, Recorded, Rivals, State, Taken
from services.evaluator.counters import minute_of


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A receipt that the draft is met by: what it gets while nothing is used up, and by what."""

    recorded: Recorded
    first: Outcome
    rivals: Rivals | None

    def blocked(self, state: Mapping[str, int]) -> bool:
        """Whether the limits that have not enough leave nothing of the draft to be granted."""
        return self.rivals is not None and all(
            any(state.get(limit_id) == 0 for limit_id in limits) for _, limits in self.rivals
        )


_INSTRUMENT_PARTS = 2
"""Of ``{campaign}/{instrument}``."""

Key = tuple[bytes, State]
"""A receipt's event, and what is left of the limits that had not enough for it."""


@dataclass(slots=True)
class _Uses:
    """The uses of one limit; those of a rolling one by minutes, as ``Counters`` count them."""

    cap: int
    total: int = 0
    minutes: list[datetime] = field(default_factory=list)
    until: list[int] = field(default_factory=list)

    def free(self, since: datetime | None) -> int:
        if since is None:
            return self.cap - self.total
        gone = bisect_right(self.minutes, since)
        return self.cap - self.total + (self.until[gone - 1] if gone else 0)

    def add(self, amount: int, at: datetime | None) -> None:
        """Count a use; those of a rolling limit come in the order of time."""
        self.total += amount
        if at is None:
            return
        minute = minute_of(at)
        if self.minutes and self.minutes[-1] == minute:
            self.until[-1] = self.total
        else:
            self.minutes.append(minute)
            self.until.append(self.total)


@dataclass(slots=True)
class CapUse:
    """What became of a cap: of one counter, or of one for each customer, store, day and window.

    ``used`` over all ``counters``, ``full`` of them had too little left for somebody or nothing, the
    first at ``full_at``. ``refused``: receipts that got nothing for want of room.
    """

    name: str
    cap: int
    money: bool
    used: int = 0
    refused: int = 0
    full_at: datetime | None = None
    counters: set[str] = field(default_factory=set)
    full: set[str] = field(default_factory=set)
    slides: bool = False


@dataclass(slots=True)
class Caps:
    """The draft's limits as the simulation has used them so far."""

    uses: dict[str, _Uses] = field(default_factory=dict)
    rules: dict[str, CapUse] = field(default_factory=dict)

    def short(self, taken: Sequence[Taken], at: datetime) -> dict[str, int]:
        """Of the limits that have not enough for all that is taken, what is left."""
        asked: dict[str, int] = {}
        for one in taken:
            asked[one.limit_id] = asked.get(one.limit_id, 0) + one.amount
        found = {}
        for one in taken:
            uses, rule = self._of(one)
            left = uses.free(one.since)
            if left < asked[one.limit_id]:
                found[one.limit_id] = max(0, left) if _is_shared(one.limit_id) else 0
                _mark_full(rule, one.limit_id, at)
        return found

    def refuse(self, limit_ids: Mapping[str, int]) -> None:
        """Count a receipt that got less for want of room in these."""
        for name in {rule_name(limit_id) for limit_id in limit_ids}:
            self.rules[name].refused += 1

    def take(self, taken: Sequence[Taken], at: datetime) -> None:
        """Count what a paid receipt takes."""
        for one in taken:
            uses, rule = self._of(one)
            uses.add(one.amount, at if one.since is not None else None)
            rule.used += one.amount
            if uses.free(one.since) <= 0:
                _mark_full(rule, one.limit_id, at)

    def _of(self, one: Taken) -> tuple[_Uses, CapUse]:
        name = rule_name(one.limit_id)
        rule = self.rules.get(name)
        if rule is None:
            rule = self.rules[name] = CapUse(name, one.cap, one.money, slides=one.since is not None)
        uses = self.uses.get(one.limit_id)
        if uses is None:
            uses = self.uses[one.limit_id] = _Uses(one.cap)
            rule.counters.add(one.limit_id)
        return uses, rule


@dataclass(slots=True)
class Full:
    """A forecast, while receipts come in: limits of all together that are used up, or nearly.

    It spares time and decides nothing: what is right is settled in the end.
    """

    used: dict[str, int] = field(default_factory=dict)
    limit_ids: set[str] = field(default_factory=set)

    def add(self, entries: Iterable[Entry]) -> None:
        """Count what entries take."""
        for entry in entries:
            if not entry.recorded.paid:
                continue
            for one in entry.first.taken:
                if one.since is None and "=" not in one.limit_id:
                    used = self.used[one.limit_id] = self.used.get(one.limit_id, 0) + one.amount
                    if used >= one.cap:
                        self.limit_ids.add(one.limit_id)


def rule_name(limit_id: str) -> str:
    """The limit's id without whose it is and of which window: one name for all of a rule."""
    if limit_id.startswith("code:"):
        return "single-use codes"
    return limit_id.split("=", 1)[0].split("@", 1)[0]


def refusal_name(limit_id: str) -> str | None:
    """What refusals call the limit; None: the instrument's redemptions in all (``limits.Rule``)."""
    parts = rule_name(limit_id).split("/")
    last = parts[-1]
    if last.startswith("~"):
        whose = last.removeprefix("~")
        kind = "campaign_limit" if _is_shared(limit_id) else "limit"
        return f"{kind}.{whose}" if whose else kind
    return last if len(parts) != _INSTRUMENT_PARTS else None


def _is_shared(limit_id: str) -> bool:
    """Whether several instruments take of it: ``{campaign}/~…``."""
    return "/~" in limit_id and limit_id.index("/~") == limit_id.index("/")


def _mark_full(rule: CapUse, limit_id: str, at: datetime) -> None:
    rule.full.add(limit_id)
    rule.full_at = rule.full_at or at


@dataclass(frozen=True, slots=True)
class Settlement:
    """What each receipt gets in the end, in order; guesses where ``missing`` is to be decided."""

    outcomes: list[Outcome]
    missing: list[Key]
    caps: Caps


def settle(entries: Sequence[Entry], variants: Mapping[Key, Outcome]) -> Settlement:
    """Settle the caps for entries in the order of time (then receipt ids).

    Only paid receipts use up a cap: an unpaid cart holds its slots for some minutes only.
    """
    caps, outcomes, missing = Caps(), [], []
    for entry in entries:
        at = entry.recorded.occurred_at
        outcome = entry.first
        state: dict[str, int] = {}
        while short := caps.short(outcome.taken, at):
            state |= short
            if entry.blocked(state):
                outcome = without(entry, short)
                break
            key = entry.recorded.event_key, tuple(sorted(state.items()))
            found = variants.get(key)
            if found is None:
                missing.append(key)
                outcome = _guess(outcome, short)
                break
            outcome = found
        if state:
            caps.refuse(state)
        if entry.recorded.paid:
            caps.take(outcome.taken, at)
        outcomes.append(outcome)
    return Settlement(outcomes, missing, caps)


def without(entry: Entry, short: Mapping[str, int]) -> Outcome:
    """The receipt gets what it got; of the draft nothing, as these limits are used up."""
    refused = _refused(entry.first, {g.instrument_id for g in entry.first.gave}, short)
    return Outcome((), entry.recorded.live, (*entry.first.missed, *refused), ())


def _guess(outcome: Outcome, short: Mapping[str, int]) -> Outcome:
    """As if instruments without room left everything else as it is."""
    out = {one.instrument_id for one in outcome.taken if one.limit_id in short}
    return Outcome(
        tuple([g for g in outcome.gave if g.instrument_id not in out]),
        outcome.live,
        (*outcome.missed, *_refused(outcome, out, short)),
        tuple([one for one in outcome.taken if one.instrument_id not in out]),
    )


def _refused(outcome: Outcome, out: Collection[str], short: Mapping[str, int]) -> list[Missed]:
    """The instruments with the name of a limit that has no room for them, if one of ``short`` is theirs."""
    names = {
        t.instrument_id: refusal_name(t.limit_id) for t in outcome.taken if t.limit_id in short
    }
    granted = [g.instrument_id for g in outcome.gave if g.instrument_id in out]
    return [Missed(one, "limit_reached", names.get(one)) for one in granted]
