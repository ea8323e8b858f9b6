"""One recorded receipt, decided again as if the draft had been running."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b

import msgspec

from services.evaluator.promotion.basket import Basket, PresentedCode, Reading
from services.evaluator.promotion.decision import Verdict, judge
from services.evaluator.promotion.history import Purchase, ordered
from services.evaluator.promotion.instrument import CompiledInstrument
from services.evaluator.promotion.limits import Limit
from services.evaluator.promotion.ruleset import Considered, Ruleset
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


class Gave(msgspec.Struct, frozen=True, array_like=True):
    """What one instrument gave to a receipt (minor units, points)."""

    campaign_id: str
    instrument_id: str
    discount: int = 0
    bonuses: int = 0
    gifts: tuple[tuple[str, int], ...] = ()


class Taken(msgspec.Struct, frozen=True, array_like=True):
    """What an instrument of the draft takes of a limit; ``since`` is a rolling limit's."""

    instrument_id: str
    limit_id: str
    amount: int
    cap: int
    money: bool
    since: datetime | None


class Missed(msgspec.Struct, frozen=True, array_like=True):
    """An instrument of the draft that gives nothing; ``near``: nothing else is missing."""

    instrument_id: str
    reason: str
    condition: str | None = None
    missing: int | None = None
    unit: str | None = None
    near: bool = False


class Outcome(msgspec.Struct, frozen=True, array_like=True):
    """What a receipt gets with the draft: of the draft and of the campaigns that were live."""

    gave: tuple[Gave, ...]
    live: tuple[Gave, ...]
    missed: tuple[Missed, ...]
    taken: tuple[Taken, ...]
    assumed_free: bool = False


class Recorded(msgspec.Struct, frozen=True):
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
    recognised: Mapping[bytes, tuple[str, str | None]]


@dataclass(frozen=True, slots=True)
class Trial:
    """A recording with the rules of then and the draft, before its limits are known."""

    campaign_id: str
    recording: Recording
    considered: Considered

    @property
    def mine(self) -> list[bool]:
        """Which of the candidates are the draft's."""
        own = self.campaign_id
        return [c.campaign.campaign_id == own for c in self.considered.candidates]

    @property
    def wanted(self) -> tuple[str, Wanted, datetime] | None:
        """Whose earlier purchases the draft asks for, which, and until before when."""
        customer = self.considered.reading.basket.customer_id
        since = self._since(mine=True)
        if customer is None or since is None:
            return None
        ever = any(
            own and candidate.looks_back == "ever"
            for candidate, own in zip(self.considered.candidates, self.mine, strict=True)
        )
        at = self.considered.reading.basket.occurred_at
        return customer, Wanted(since, first=_FIRST if ever else 0), at

    def remember(self, known: Sequence[Purchase]) -> None:
        """Take the recorded purchases into account, and earlier ones that are known now.

        From the instant on that the live campaigns looked back to, the recording has them all.
        """
        recorded, since = self.recording.facts.purchases, self._since(mine=False)
        until = self.considered.reading.basket.occurred_at if since is None else since
        there = {p.receipt_id for p in recorded}
        earlier = [p for p in known if p.occurred_at < until and p.receipt_id not in there]
        self.considered.remember(ordered([*earlier, *recorded]))

    def decide(self, state: State = ()) -> Outcome:
        """What it gets; the draft's limits have all of their cap left but for those in ``state``."""
        asked = _Asked(self.campaign_id, self.recording.facts.free, dict(state))
        verdict = judge(self.considered, asked.free)
        return _outcome(self.campaign_id, verdict, assumed_free=asked.assumed)

    def missed(self) -> tuple[Missed, ...] | None:
        """Why no instrument of the draft is met, limits aside; None if one is."""
        found = []
        for candidate, failed in zip(
            self.considered.candidates, self.considered.failures, strict=True
        ):
            if candidate.campaign.campaign_id != self.campaign_id:
                continue
            if failed is None:
                return None
            found.append(
                Missed(
                    candidate.instrument_id,
                    failed.reason,
                    failed.condition,
                    failed.missing,
                    failed.unit,
                    failed.near,
                )
            )
        return tuple(found)

    def rivals(self) -> Rivals | None:
        """The draft's instruments that may be granted, each with all limits that it then takes of.

        None where that depends on which codes are used. If each of them lacks one of its limits, the
        receipt gets what it got.
        """
        reading, found = self.considered.reading, []
        live = {
            need.emission_id
            for candidate, own in zip(self.considered.candidates, self.mine, strict=True)
            if not own
            for need in candidate.needs
        }
        for candidate, own, failed in zip(
            self.considered.candidates, self.mine, self.considered.failures, strict=True
        ):
            if not own or failed is not None or _needs_customer(candidate, reading):
                continue
            for need in candidate.needs:
                if need.emission_id in live or len(need.codes(reading)) != 1:
                    return None
            if candidate.needs and len(candidate.ways(reading, candidate.eligible(reading))) != 1:
                return None
            limits = tuple([limit.limit_id for limit in candidate.limits(reading)])
            found.append((candidate.instrument_id, limits))
        return tuple(found)

    def _since(self, *, mine: bool) -> datetime | None:
        """Where the windows of the draft's candidates that look back begin, or of the live ones."""
        at = self.considered.reading.basket.occurred_at
        return min(
            [
                candidate.window_at(at).start
                for candidate, own in zip(self.considered.candidates, self.mine, strict=True)
                if own == mine and candidate.looks_back
            ],
            default=None,
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


def trial(
    campaign: Campaign, recording: Recording, ruleset: Ruleset, *, assume_codes: bool
) -> Trial | None:
    """The recording with the draft among its rules; None if it meets nothing of the draft.

    ``ruleset`` is that of the recording's version, with the draft.
    """
    facts = recording.facts
    held = dict(facts.held)
    for emission in campaign.emissions:
        held[emission.emission_id] = max(held.get(emission.emission_id, 0), emission.posted_codes)
    basket = basket_of(recording.event, facts)
    if campaign.emissions and (basket.codes or assume_codes):
        basket = replace(basket, codes=_codes(campaign, recording, basket, assume=assume_codes))
    considered = ruleset.with_codes(held).consider(basket)
    own = campaign.campaign_id
    if not any(c.campaign.campaign_id == own for c in considered.candidates):
        return None
    considered.remember(facts.purchases)
    return Trial(own, recording, considered)


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
    return replace(code, emission_id=known[0], holder=known[1]) if known else code


def _outcome(campaign_id: str, verdict: Verdict, *, assumed_free: bool) -> Outcome:
    gave, live, taken = [], [], []
    for g in verdict.granted:
        gifts = tuple((gift.sku, gift.quantity) for gift in g.gifts)
        given = Gave(g.campaign_id, g.instrument_id, g.discount, g.bonuses, gifts)
        if g.campaign_id != campaign_id:
            live.append(given)
            continue
        gave.append(given)
        taken += [
            Taken(
                g.instrument_id,
                c.limit.limit_id,
                c.amount,
                c.limit.cap,
                c.limit.money,
                c.limit.since,
            )
            for c in g.limits
        ]
    near = {(n.campaign_id, n.instrument_id) for n in verdict.near_misses}
    missed = [
        Missed(
            r.instrument_id,
            r.reason,
            r.condition,
            r.missing,
            r.unit,
            (campaign_id, r.instrument_id) in near,
        )
        for r in verdict.refused
        if r.campaign_id == campaign_id
    ]
    return Outcome(tuple(gave), tuple(live), tuple(missed), tuple(taken), assumed_free)


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
