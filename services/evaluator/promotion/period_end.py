"""Instruments that are given at the end of a period: which periods have ended, and who earns what.

The periods are those of the instrument within its campaign: one that began before the campaign did
counts from the campaign's start, the last one ends with it. What a customer bought in exactly that
time is what conditions are about, and what a percentage is of: amounts before our discounts. Groups
and segments are those at the time of closing. Who bought nothing in the period is not looked at.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.evaluator.promotion.basket import Basket, Reading, read
from services.evaluator.promotion.benefits.extras import points
from services.evaluator.promotion.conditions import (
    Check,
    Multiple,
    Terms,
    compile_condition,
    first_failure,
)
from services.evaluator.promotion.conditions.multiples import multiple_of_all
from services.evaluator.promotion.conditions.purchases import EVER
from services.evaluator.promotion.history import History, Purchase
from services.evaluator.promotion.instrument import CompiledCampaign, rules_of
from services.evaluator.promotion.limits import Claim, Rule
from services.evaluator.promotion.period import Window, WindowAt, compile_period
from services.evaluator.promotion.selection import Selection, select
from shared.events.benefits import Bonuses
from shared.events.promotion import Campaign, Instrument

GRACE = timedelta(minutes=1)
"""How long after its end a period waits for the last sales."""
LATE = timedelta(seconds=45)
"""Sales that are older when they come are late: a period they lie in may have been closed.

Less than ``GRACE``, by more than clocks differ: no sale may miss its period and not be late.
"""
_INSTANT = timedelta(microseconds=1)
"""The finest that times are told by: the last instant of a period is so much before its end."""


@dataclass(frozen=True, slots=True)
class Buyer:
    """A customer with what is known of them, and their purchases (``history.ordered``).

    ``blocked``: promotions are withheld from them as the period ends.
    """

    customer_id: str
    groups: frozenset[str]
    segments: frozenset[str]
    purchases: Sequence[Purchase]
    blocked: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class PeriodEnd:
    """An instrument with the trigger ``on_period_end``, compiled. ``position``: in its campaign."""

    campaign: CompiledCampaign
    instrument_id: str
    position: int
    time_zone: str
    window_at: WindowAt
    checks: tuple[Check, ...]
    multiple: Multiple | None
    max_times: int | None
    include_discounted: bool
    benefit: Bonuses
    selection: Selection
    rules: tuple[Rule, ...]

    @property
    def key(self) -> tuple[str, str]:
        """Campaign and instrument."""
        return self.campaign.campaign_id, self.instrument_id

    def windows(self, after: datetime | None = None) -> Iterator[Window]:
        """Its periods that end later than ``after``, one after another."""
        at = self.campaign.starts_at if after is None else max(after, self.campaign.starts_at)
        while (window := self.window(at)) is not None:
            yield window
            at = window.end

    def window(self, at: datetime) -> Window | None:
        """The period in which an instant lies, within the campaign; None outside of that."""
        starts_at, ends_at = self.campaign.starts_at, self.campaign.ends_at
        if not starts_at <= at < ends_at:
            return None
        found = self.window_at(at)
        start, end = max(found.start, starts_at), min(found.end, ends_at)
        return Window(start.astimezone(UTC), end.astimezone(UTC), found.name)

    def points(self, buyer: Buyer, window: Window) -> int:
        """What the customer has earned by the purchases of the period; 0 for who is held back or blocked."""
        if buyer.blocked:
            return 0
        reading = self._at(buyer, window.end)
        if first_failure(self.checks, reading, reading.promotable):
            return 0
        if not self._is_for(buyer) or self.campaign.holds_back(buyer.customer_id):
            return 0
        history = History(buyer.purchases, include_discounted=self.include_discounted)
        if not history.of(self.selection, "receipts"):
            return 0
        return points(self.benefit, history.of(self.selection, "sum"), self._times(reading))

    def claims(self, customer_id: str, window: Window) -> list[Claim]:
        """What a reward takes of limits: on the last day of the period."""
        if not self.rules:
            return []
        buyer = Buyer(customer_id, frozenset(), frozenset(), ())
        reading = self._at(buyer, window.end - _INSTANT)
        found = [rule.limit(reading, None) for rule in self.rules if not rule.money]
        return [Claim(limit) for limit in found if limit is not None]

    def _is_for(self, buyer: Buyer) -> bool:
        """Whether the customer is of one of the campaign's groups or segments, if it has any."""
        groups, segments = self.campaign.groups, self.campaign.segments
        if not groups and not segments:
            return True
        return not (groups.isdisjoint(buyer.groups) and segments.isdisjoint(buyer.segments))

    def _times(self, reading: Reading) -> int:
        if self.multiple is None:
            return 1
        times = max(1, self.multiple(reading, reading.promotable))
        return times if self.max_times is None else min(times, self.max_times)

    def _at(self, buyer: Buyer, at: datetime) -> Reading:
        return read(
            Basket(
                store_id="",
                occurred_at=at,
                lines=(),
                time_zone=self.time_zone,
                customer_id=buyer.customer_id,
                customer_groups=buyer.groups,
                segments=buyer.segments,
                purchases=buyer.purchases,
            )
        )


def compile_period_ends(campaign: Campaign) -> tuple[PeriodEnd, ...]:
    """The campaign's instruments that are given at the end of a period, in its order."""
    return tuple(
        _compile(campaign, position, instrument, instrument.benefit)
        for position, instrument in enumerate(campaign.instruments)
        # Nothing else can be given then: emission refuses it.
        if instrument.trigger == "on_period_end" and isinstance(instrument.benefit, Bonuses)
    )


def _compile(
    campaign: Campaign, position: int, instrument: Instrument, benefit: Bonuses
) -> PeriodEnd:
    period = compile_period(
        instrument.processing_period, campaign.starts_at, campaign.ends_at, campaign.time_zone
    )
    terms = Terms(
        emissions={emission.emission_id: emission for emission in campaign.emissions},
        # The purchases that are given are those of the period: all of them count.
        window_at=lambda at: Window(EVER, at),
        include_discounted=instrument.include_discounted,
    )
    repeat = instrument.repeat
    return PeriodEnd(
        campaign=_of_everybody(campaign),
        instrument_id=instrument.instrument_id,
        position=position,
        time_zone=campaign.time_zone,
        window_at=period,
        checks=tuple([compile_condition(c, terms) for c in instrument.conditions]),
        multiple=multiple_of_all(instrument.conditions, terms) if repeat else None,
        max_times=repeat.max_times if repeat else None,
        include_discounted=instrument.include_discounted,
        benefit=benefit,
        selection=select(benefit.products),
        rules=rules_of(campaign, instrument, period),
    )


def _of_everybody(campaign: Campaign) -> CompiledCampaign:
    """The campaign as the end of its periods sees it: there is no store then, and no code."""
    return CompiledCampaign(
        campaign_id=campaign.campaign_id,
        running=True,
        starts_at=campaign.starts_at,
        ends_at=campaign.ends_at,
        stores=frozenset(),
        groups=frozenset(campaign.customer_groups),
        segments=frozenset(campaign.segments),
        control_group=campaign.control_group,
        codes=(),
    )


def come_late(
    sold: Iterable[tuple[str, str | None, datetime]], now: datetime
) -> list[tuple[str, str, datetime]]:
    """Of receipts (id, customer id, time) that come now those of customers that are late."""
    return [(name, who, at) for name, who, at in sold if who is not None and at < now - LATE]
