"""Campaigns and their instruments, compiled: what they ask of a cart and what they then give."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Literal

import msgspec

from services.evaluator.promotion import limits
from services.evaluator.promotion.basket import Eligible, Reading
from services.evaluator.promotion.benefits import Offer, compile_benefit
from services.evaluator.promotion.benefits.extras import TierOffer
from services.evaluator.promotion.codes import CodeNeed, Ways, compile_ways, needs_of
from services.evaluator.promotion.conditions import (
    Check,
    Multiple,
    Terms,
    all_of,
    compile_condition,
    required_keys,
)
from services.evaluator.promotion.conditions.multiples import multiple_of_all
from services.evaluator.promotion.conditions.purchases import EVER
from services.evaluator.promotion.conditions.requirements import rarest
from services.evaluator.promotion.failure import Failure
from services.evaluator.promotion.limits import Limit, Rule, compile_rule
from services.evaluator.promotion.period import WindowAt, compile_period
from services.evaluator.promotion.selection import Key
from shared.events.conditions import FirstPurchase, History, walk
from shared.events.promotion import Campaign, EmissionSummary, Instrument, LimitRule

_BASIS_POINTS = 10_000
_MOST_PRIORITY = 1_000
_SECOND, _DAY = timedelta(seconds=1), timedelta(days=1)
_WAITING = ("seconds", "days")


@dataclass(frozen=True, slots=True, eq=False)
class CompiledCampaign:
    """What a campaign asks of every cart. ``codes``: how many it needs held, by emission."""

    campaign_id: str
    running: bool
    starts_at: datetime
    ends_at: datetime
    stores: frozenset[str]
    groups: frozenset[str]
    segments: frozenset[str]
    control_group: int
    codes: tuple[tuple[str, int], ...]

    def failure(self, reading: Reading, held: Mapping[str, int]) -> Failure | None:
        """Why it does not run for the basket: its time, its codes, its stores, its customers."""
        return self.absence(reading, held) or self.exclusion(reading)

    def absence(self, reading: Reading, held: Mapping[str, int]) -> Failure | None:
        """Why it does not run then and there: its time, its codes, its stores."""
        at = reading.at
        if not (self.running and self.starts_at <= at < self.ends_at and self.has_codes(held)):
            if self.running and at < self.starts_at:
                wait = -((at - self.starts_at) // _SECOND)
                return Failure("campaign_not_active", missing=wait, unit="seconds")
            return Failure("campaign_not_active")
        if self.stores and reading.basket.store_id not in self.stores:
            return Failure("wrong_store")
        return None

    def exclusion(self, reading: Reading) -> Failure | None:
        """Why it is not for the basket's customer."""
        if self.groups or self.segments:
            basket = reading.basket
            if basket.customer_id is None:
                return Failure("customer_unknown")
            if self.groups.isdisjoint(basket.customer_groups) and self.segments.isdisjoint(
                basket.segments
            ):
                return Failure("wrong_customer_group" if self.groups else "wrong_segment")
        return None

    def has_codes(self, held: Mapping[str, int]) -> bool:
        """Whether all codes are there that its emissions had posted by its start."""
        return all(held.get(emission_id, 0) >= count for emission_id, count in self.codes)

    def holds_back(self, customer_id: str | None) -> bool:
        """Whether the customer is of its control group: by a hash, the same at every receipt."""
        if not self.control_group or customer_id is None:
            return False
        name = f"{self.campaign_id}/{customer_id}".encode()
        number = int.from_bytes(blake2b(name, digest_size=8).digest())
        return number % _BASIS_POINTS < self.control_group


@dataclass(frozen=True, slots=True, eq=False)
class CompiledInstrument:
    """One instrument of one campaign.

    ``order`` sorts instruments as they are tried. ``met_by``: the basket must have one of these
    keys for the instrument to be considered; empty = it always is. ``by_code``: only a presented
    code leads to it. ``since``: how far back of an instant it looks at purchases, if it does.
    ``keeps_slot``: a sale that is returned frees nothing.
    """

    campaign: CompiledCampaign
    instrument_id: str
    name: str
    order: str
    met_by: tuple[Key, ...]
    by_code: bool
    check: Check
    needs: tuple[CodeNeed, ...]
    ways: Ways
    rules: tuple[Rule, ...]
    offer: Offer
    earns: bool
    include_discounted: bool
    stacking: Literal["combinable", "exclusive", "best_of"]
    best_of: str | None
    multiple: Multiple | None
    max_times: int | None
    looks_back: Literal["ever", "window"] | None
    window_at: WindowAt
    keeps_slot: bool

    @property
    def ids(self) -> tuple[str, str]:
        """Campaign and instrument."""
        return self.campaign.campaign_id, self.instrument_id

    def eligible(self, reading: Reading) -> Eligible:
        """The lines that count for it."""
        return reading.promotable if self.include_discounted else reading.full_price

    def since(self, at: datetime) -> datetime | None:
        """From when on it looks at purchases."""
        if self.looks_back is None:
            return None
        return EVER if self.looks_back == "ever" else self.window_at(at).start

    def failure(self, reading: Reading, held: Mapping[str, int]) -> Failure | None:
        """Why the basket, that met it in the index, does not meet it; None if it does.

        Limits and the benefit's amount are left aside. The campaign comes first, then a customer
        for bonuses, then the conditions, then the control group: who is held back would have got it.
        """
        campaign = self.campaign
        # Where no code leads to an instrument, it is not met at all while its campaign is absent.
        if self.needs and (failed := campaign.absence(reading, held)):
            return failed
        if (campaign.groups or campaign.segments) and (failed := campaign.exclusion(reading)):
            return failed
        if self.earns and reading.basket.customer_id is None:
            return Failure("customer_unknown")
        failed = self.check(
            reading, reading.promotable if self.include_discounted else reading.full_price
        )
        if failed is not None and failed.unit in _WAITING and not self._lasts(failed, reading):
            failed = msgspec.structs.replace(failed, near=False)
        if campaign.control_group and (failed is None or failed.near):
            return self._held_back(failed, reading.basket.customer_id)
        return failed

    def _lasts(self, failed: Failure, reading: Reading) -> bool:
        """Whether campaign and period are still there when the time that is missing has passed."""
        unit = _SECOND if failed.unit == "seconds" else _DAY
        due = reading.at + (failed.missing or 0) * unit
        window = self.window_at(reading.at)
        of_this_period = failed.unit == "seconds" or window.slides or due < window.end
        return due < self.campaign.ends_at and of_this_period

    def _held_back(self, failed: Failure | None, customer_id: str | None) -> Failure | None:
        if not self.campaign.holds_back(customer_id):
            return failed
        if failed is None:
            return Failure("control_group")
        # Nobody of the control group is promised what they would not get.
        return msgspec.structs.replace(failed, near=False)

    def times(self, reading: Reading) -> int:
        """How often its conditions are met; 1 unless it repeats."""
        if self.multiple is None:
            return 1
        times = max(1, self.multiple(reading, self.eligible(reading)))
        return times if self.max_times is None else min(times, self.max_times)

    def rule(self, name: str | None) -> Rule | None:
        """The rule of one of its limits, by the name that refusals call it (None: its redemptions in all)."""
        caps = [need.cap for need in self.needs if need.cap]
        return next((rule for rule in (*self.rules, *caps) if rule.name == name), None)

    def limits(self, reading: Reading) -> list[Limit]:
        """Every limit it could take of, whichever of the presented codes it uses."""
        found: list[Limit | None] = []
        codes = [code for need in self.needs for code in need.codes(reading)]
        for rule in self.rules:
            if "code" in rule.per:
                found += [rule.limit(reading, code) for code in codes]
            else:
                found.append(rule.limit(reading, None))
        for need in self.needs:
            if need.cap:
                found.append(need.cap.limit(reading, None))
            if need.single_use:
                found += [limits.of_code(code.digest) for code in need.codes(reading)]
        return [limit for limit in found if limit is not None]

    def cap_of(self, limit_id: str) -> int | None:
        """The cap of one of its limits as it is now; None if it has no such limit."""
        prefix = re.split("[=@]", limit_id, maxsplit=1)[0]
        rules = [*self.rules, *(need.cap for need in self.needs if need.cap)]
        return next((rule.cap for rule in rules if rule.prefix == prefix), None)


_NOBODY: frozenset[str] = frozenset()


def _set_of(names: Sequence[str]) -> frozenset[str]:
    """A set; all the empty ones are one, since each would take 216 bytes."""
    return frozenset(names) if names else _NOBODY


@lru_cache(maxsize=10_000)
def _utc(at: datetime) -> datetime:
    """In UTC. Most campaigns begin and end with a month or a week: they share the few instants."""
    return at.astimezone(UTC)


def compile_terms(campaign: Campaign) -> CompiledCampaign:
    """What it asks of every cart, compiled."""
    return CompiledCampaign(
        campaign_id=campaign.campaign_id,
        running=campaign.status == "running",
        starts_at=_utc(campaign.starts_at),
        ends_at=_utc(campaign.ends_at),
        stores=_set_of(campaign.stores),
        groups=_set_of(campaign.customer_groups),
        segments=_set_of(campaign.segments),
        control_group=campaign.control_group,
        codes=tuple((e.emission_id, e.posted_codes) for e in campaign.emissions),
    )


def compile_campaign(campaign: Campaign) -> tuple[CompiledInstrument, ...]:
    """Its instruments that look at carts, compiled, in the campaign's order."""
    compiled = compile_terms(campaign)
    emissions = {emission.emission_id: emission for emission in campaign.emissions}
    return tuple(
        _compile(campaign, compiled, position, instrument, emissions)
        for position, instrument in enumerate(campaign.instruments)
        if instrument.trigger == "on_sale"
    )


def terms_of(
    campaign: Campaign, instrument: Instrument, emissions: Mapping[str, EmissionSummary]
) -> Terms:
    """What the instrument's conditions depend on besides themselves."""
    return Terms(
        emissions=emissions,
        window_at=compile_period(
            instrument.processing_period, campaign.starts_at, campaign.ends_at, campaign.time_zone
        ),
        include_discounted=instrument.include_discounted,
    )


def rules_of(campaign: Campaign, instrument: Instrument, window_at: WindowAt) -> tuple[Rule, ...]:
    """The instrument's limits, then its campaign's."""
    zone, prefix = campaign.time_zone, f"{campaign.campaign_id}/{instrument.instrument_id}"
    own = instrument.limits
    if instrument.max_redemptions:
        own = (LimitRule(redemptions=instrument.max_redemptions), *own)
    if not own and not campaign.limits:
        return ()
    whole = compile_period("campaign", campaign.starts_at, campaign.ends_at, zone)
    return (
        *(compile_rule(rule, prefix, window_at, zone) for rule in own),
        *(compile_rule(rule, campaign.campaign_id, whole, zone) for rule in campaign.limits),
    )


def _compile(
    campaign: Campaign,
    compiled: CompiledCampaign,
    position: int,
    instrument: Instrument,
    emissions: Mapping[str, EmissionSummary],
) -> CompiledInstrument:
    ids = (campaign.campaign_id, instrument.instrument_id)
    terms = terms_of(campaign, instrument, emissions)
    needs = needs_of(instrument.conditions, "/".join(ids), terms)
    offer = compile_benefit(instrument.benefit)
    checks = [compile_condition(condition, terms) for condition in instrument.conditions]
    if isinstance(offer, TierOffer):
        checks.append(offer.failure)
    met_by = rarest([*map(required_keys, instrument.conditions), *_required_of(compiled)])
    by_code = bool(met_by) and all(dimension == "code" for dimension, _ in met_by)
    if met_by:
        # Each of the codes that it may use leads here, to be told why it is not used.
        met_by |= {("code", need.emission_id) for need in needs.values()}
    repeat = instrument.repeat
    return CompiledInstrument(
        campaign=compiled,
        instrument_id=instrument.instrument_id,
        name=instrument.name,
        order=_order(campaign.priority, instrument.priority, position, ids),
        met_by=tuple(met_by),
        by_code=by_code,
        check=checks[0] if len(checks) == 1 else all_of(checks),
        needs=tuple(needs.values()),
        ways=compile_ways(instrument.conditions, needs, terms),
        rules=rules_of(campaign, instrument, terms.window_at),
        offer=offer,
        earns=offer.earns,
        include_discounted=instrument.include_discounted,
        stacking=instrument.stacking,
        best_of=instrument.best_of,
        multiple=multiple_of_all(instrument.conditions, terms) if repeat else None,
        max_times=repeat.max_times if repeat else None,
        looks_back=_looks_back(instrument),
        window_at=terms.window_at,
        keeps_slot=instrument.on_return == "keep",
    )


def _order(priority: int, own_priority: int, position: int, ids: tuple[str, str]) -> str:
    """Sorts as the numbers and then the ids do, in one comparison: higher priorities first.

    A blank is less than any character of an id.
    """
    ranks = f"{_MOST_PRIORITY - priority:04}{_MOST_PRIORITY - own_priority:04}{position:04}"
    return f"{ranks}{ids[0]} {ids[1]}"


_MOST_STORES = 100
"""Of more stores than these the index would hold too much; a set says whether it is one of them."""


def _required_of(campaign: CompiledCampaign) -> Sequence[frozenset[Key]]:
    """What carts cannot do without to meet the campaign at all."""
    found = []
    if campaign.groups or campaign.segments:
        groups = [("customer_group", group) for group in campaign.groups]
        found.append(frozenset(groups + [("segment", one) for one in campaign.segments]))
    if 0 < len(campaign.stores) <= _MOST_STORES:
        found.append(frozenset(("store", store) for store in campaign.stores))
    return found


def _looks_back(instrument: Instrument) -> Literal["ever", "window"] | None:
    found = [c for _, c, _ in walk(instrument.conditions) if isinstance(c, History)]
    if not found:
        return None
    return "ever" if any(isinstance(c, FirstPurchase) for c in found) else "window"
