"""One recorded receipt, decided again as if the draft had been running."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

import msgspec
from msgspec.structs import replace

from services.evaluator.promotion.basket import Basket, PresentedCode, Reading, read
from services.evaluator.promotion.failure import Failure
from services.evaluator.promotion.history import Purchase, ordered
from services.evaluator.promotion.instrument import CompiledInstrument
from services.evaluator.promotion.limits import Capacity, Limit
from services.evaluator.promotion.ruleset import Ruleset
from services.evaluator.promotion.stacking import Stack, stack
from services.evaluator.purchases import Wanted
from services.evaluator.recording import Facts, basket_of
from shared.events.checkout import Cart, Sale
from shared.events.promotion import Campaign
from shared.events.values import Device

_FIRST = 2
"""One earlier purchase tells that there was one; another may be the receipt itself."""

State = tuple[tuple[str, int], ...]
"""What is left of limits that had not enough, by id: (limit, free)."""

Rivals = tuple[tuple[str, tuple[str, ...]], ...]
"""Instruments by id, with the limits that they take of."""


class Gave(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one instrument gave to a receipt (minor units, points)."""

    campaign_id: str
    instrument_id: str
    discount: int = 0
    bonuses: int = 0
    gifts: tuple[tuple[str, int], ...] = ()


class Taken(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What an instrument of the draft takes of a limit; ``since`` is a rolling limit's."""

    instrument_id: str
    limit_id: str
    amount: int
    cap: int
    money: bool
    since: datetime | None


class Missed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An instrument of the draft that gives nothing; ``near``: nothing else is missing."""

    instrument_id: str
    reason: str
    condition: str | None = None
    missing: int | None = None
    unit: str | None = None
    near: bool = False


class Outcome(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a receipt gets with the draft: of the draft and of the campaigns that were live."""

    gave: tuple[Gave, ...]
    live: tuple[Gave, ...]
    missed: tuple[Missed, ...]
    taken: tuple[Taken, ...]
    assumed_free: bool = False


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """A receipt as it was decided: what of it the report counts (minor units).

    ``total`` is before our discounts. ``live`` is what it got then.
    """

    event_key: bytes
    receipt_id: str
    occurred_at: datetime
    store_id: str
    region: str
    device: Device
    customer_id: str | None
    paid: bool
    total: int
    live: tuple[Gave, ...]


@dataclass(frozen=True, slots=True)
class Recording:
    """What a receipt was decided by: its event and the facts, with ``codes`` known only since."""

    event: Cart | Sale
    facts: Facts
    recognised: Mapping[bytes, tuple[str, str | None, datetime | None]]


@dataclass(slots=True)
class Trial:
    """A recording that meets instruments of the draft (``own``) in the index.

    ``ruleset`` is that of its time, with the draft: it is asked only once the draft is met.
    """

    campaign_id: str
    recording: Recording
    reading: Reading
    own: Sequence[CompiledInstrument]
    rules: Ruleset
    ruleset: Ruleset
    _failures: Sequence[Failure | None] | None = None
    _every: Sequence[CompiledInstrument] | None = None
    _met: Sequence[CompiledInstrument] | None = None

    @property
    def failures(self) -> Sequence[Failure | None]:
        """Why each of the draft's instruments is not met, limits aside; None if it is."""
        if self._failures is None:
            self._failures = self.rules.failures(self.own, self.reading)
        return self._failures

    @property
    def every(self) -> Sequence[CompiledInstrument]:
        """The candidates of all campaigns, in the order they are tried."""
        if self._every is None:
            self._every = self.ruleset.met(self.reading)
        return self._every

    @property
    def wanted(self) -> tuple[str, Wanted, datetime] | None:
        """Whose earlier purchases the draft asks for, which, and until before when."""
        basket = self.reading.basket
        since = self._since(self.own)
        if basket.customer_id is None or since is None:
            return None
        ever = any(candidate.looks_back == "ever" for candidate in self.own)
        asked = Wanted(since, first=_FIRST if ever else 0)
        return basket.customer_id, asked, basket.occurred_at

    def remember(self, known: Sequence[Purchase]) -> None:
        """Take the recorded purchases into account, and earlier ones that are known now.

        From the instant on that the live campaigns looked back to, the recording has them all.
        """
        recorded = self.recording.facts.purchases
        since = self._since(self._live)
        until = self.reading.basket.occurred_at if since is None else since
        there = {p.receipt_id for p in recorded}
        earlier = [p for p in known if p.occurred_at < until and p.receipt_id not in there]
        self.reading.purchases = ordered([*earlier, *recorded])
        self._failures = None

    def missed(self) -> tuple[Missed, ...] | None:
        """Why no instrument of the draft is met, limits aside; None if one is."""
        if any(failed is None for failed in self.failures):
            return None
        return tuple(
            _missed(candidate, failed)
            for candidate, failed in zip(self.own, self.failures, strict=True)
            if failed is not None
        )

    def decide(self, state: State = ()) -> Outcome:
        """What it gets; the draft's limits have all of their cap left but for those in ``state``."""
        if self._met is None:
            failures = self.ruleset.failures(self.every, self.reading)
            pairs = zip(self.every, failures, strict=True)
            self._met = [candidate for candidate, failed in pairs if failed is None]
        asked = _Asked(self.campaign_id, self.recording.facts.free, dict(state))
        # As ``judge`` does; what else a verdict says, of all that is refused, is not counted here.
        result = stack(self._met, self.reading, Capacity(asked.free))
        refused = [
            _missed(candidate, failed)
            for candidate, failed in result.failures.items()
            if candidate.campaign.campaign_id == self.campaign_id
        ]
        unmet = [
            _missed(candidate, failed)
            for candidate, failed in zip(self.own, self.failures, strict=True)
            if failed is not None
        ]
        return _outcome(self.campaign_id, result, (*unmet, *refused), assumed_free=asked.assumed)

    def rivals(self) -> Rivals | None:
        """The draft's instruments that may be granted, each with all limits that it then takes of.

        None where that depends on which codes are used. If each of them lacks one of its limits, the
        receipt gets what it got.
        """
        reading, found = self.reading, []
        live = {need.emission_id for candidate in self._live for need in candidate.needs}
        for candidate, failed in zip(self.own, self.failures, strict=True):
            if failed is not None or _needs_customer(candidate, reading):
                continue
            for need in candidate.needs:
                if need.emission_id in live or len(need.codes(reading)) != 1:
                    return None
            if candidate.needs and len(candidate.ways(reading, candidate.eligible(reading))) != 1:
                return None
            limits = tuple([limit.limit_id for limit in candidate.limits(reading)])
            found.append((candidate.instrument_id, limits))
        return tuple(found)

    @property
    def _live(self) -> Sequence[CompiledInstrument]:
        return [c for c in self.every if c.campaign.campaign_id != self.campaign_id]

    def _since(self, candidates: Iterable[CompiledInstrument]) -> datetime | None:
        """Where the windows of those that look back begin."""
        at = self.reading.basket.occurred_at
        return min([c.window_at(at).start for c in candidates if c.looks_back], default=None)


def _missed(candidate: CompiledInstrument, failed: Failure) -> Missed:
    return Missed(
        candidate.instrument_id,
        failed.reason,
        failed.condition,
        failed.missing,
        failed.unit,
        failed.near,
    )


def _needs_customer(candidate: CompiledInstrument, reading: Reading) -> bool:
    """Whether one of its limits is of customers, and there is none: then it gives nothing."""
    return reading.basket.customer_id is None and any("customer" in r.per for r in candidate.rules)


@dataclass(slots=True)
class _Asked:
    """What is left of limits: the live ones' as recorded, the draft's as the simulation says."""

    campaign_id: str
    recorded: Mapping[str, int]
    state: Mapping[str, int]
    assumed: bool = False

    def free(self, limit: Limit) -> int:
        limit_id = limit.limit_id
        if limit_id in self.state:
            return self.state[limit_id]
        if limit_id.startswith(f"{self.campaign_id}/"):
            return limit.cap
        left = self.recorded.get(limit_id)
        if left is None:
            self.assumed |= not limit_id.startswith("code:")
            return limit.cap
        return left


def rules_of(campaign: Campaign) -> Ruleset:
    """The draft alone, with all codes that it needs."""
    held = {emission.emission_id: emission.posted_codes for emission in campaign.emissions}
    return Ruleset.empty().with_campaigns([campaign], 0).with_codes(held)


def trial(
    campaign: Campaign,
    rules: Ruleset,
    recording: Recording,
    ruleset: Ruleset,
    *,
    assume_codes: bool,
) -> Trial | None:
    """The recording with the draft among its rules; None if it meets nothing of the draft.

    ``rules`` are the draft's (``rules_of``), ``ruleset`` is that of the recording's version with it.
    """
    facts = recording.facts
    basket = basket_of(recording.event, facts)
    if campaign.emissions and (basket.codes or assume_codes):
        basket = replace(basket, codes=_codes(campaign, recording, basket, assume=assume_codes))
    reading = read(basket)
    own = rules.met(reading)
    if not own:
        return None
    reading.purchases = facts.purchases
    held = dict(facts.held)
    for emission in campaign.emissions:
        held[emission.emission_id] = max(held.get(emission.emission_id, 0), emission.posted_codes)
    name = campaign.campaign_id
    return Trial(name, recording, reading, own, rules, ruleset.with_codes(held))


def _codes(
    campaign: Campaign, recording: Recording, basket: Basket, *, assume: bool
) -> tuple[PresentedCode, ...]:
    """The presented codes, those of the draft's emissions recognised; or one of each assumed."""
    codes = [_recognised(code, recording) for code in basket.codes]
    if assume:
        there = {code.emission_id for code in codes}
        for emission in campaign.emissions:
            if emission.emission_id not in there:
                whose = "" if emission.kind == "mass" else basket.receipt_id
                name = f"assumed/{emission.emission_id}/{whose}".encode()
                digest = blake2b(name, digest_size=16).digest()
                holder = basket.customer_id
                codes.append(PresentedCode(len(codes), digest, emission.emission_id, holder))
    return tuple(codes)


def _recognised(code: PresentedCode, recording: Recording) -> PresentedCode:
    known = None if code.emission_id else recording.recognised.get(code.digest)
    if known is None:
        return code
    emission_id, holder, valid_until = known
    return replace(code, emission_id=emission_id, holder=holder, valid_until=valid_until)


def _outcome(
    campaign_id: str, result: Stack, missed: tuple[Missed, ...], *, assumed_free: bool
) -> Outcome:
    gave, live, taken = [], [], []
    for candidate, grant in result.grants.items():
        given, (owner, instrument_id) = grant.given, candidate.ids
        goods = tuple([(gift.sku, gift.quantity) for gift in given.gifts])
        one = Gave(owner, instrument_id, given.discount, given.points, goods)
        if owner != campaign_id:
            live.append(one)
            continue
        gave.append(one)
        taken += [
            Taken(
                instrument_id,
                c.limit.limit_id,
                c.amount,
                c.limit.cap,
                c.limit.money,
                c.limit.since,
            )
            for c in grant.slots.claims
        ]
    return Outcome(tuple(gave), tuple(live), missed, tuple(taken), assumed_free)


def deltas(before: Sequence[Gave], after: Sequence[Gave]) -> dict[tuple[str, str], "Delta"]:
    """What the draft changes of what the live campaigns gave to one receipt, where it does."""
    was = {(g.campaign_id, g.instrument_id): g for g in before}
    now = {(g.campaign_id, g.instrument_id): g for g in after}
    nothing = Gave("", "")
    found = {}
    for key in sorted(was.keys() | now.keys()):
        old, new = was.get(key, nothing), now.get(key, nothing)
        delta = Delta(
            lost=key not in now,
            gained=key not in was,
            discount=new.discount - old.discount,
            bonuses=new.bonuses - old.bonuses,
        )
        if delta.lost or delta.gained or delta.discount or delta.bonuses:
            found[key] = delta
    return found


class Delta(msgspec.Struct, frozen=True):
    """How an instrument of a live campaign fares on one receipt, with the draft beside it."""

    lost: bool
    gained: bool
    discount: int
    bonuses: int
