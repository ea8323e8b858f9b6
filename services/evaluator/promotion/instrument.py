"""An instrument within its campaign, compiled: what it asks of a cart and what it then gives."""

from dataclasses import dataclass

from services.evaluator.promotion import limits
from services.evaluator.promotion.basket import Eligible, Key, Reading
from services.evaluator.promotion.benefits import BonusOffer, Offer, compile_benefit
from services.evaluator.promotion.conditions import (
    Check,
    Failure,
    compile_condition,
    customer_failure,
    required_keys,
)
from services.evaluator.promotion.limits import Limit
from shared.events.conditions import PromoCode
from shared.events.promotion import Campaign, Instrument


@dataclass(frozen=True, slots=True, eq=False)
class CodeNeed:
    """A code condition's claims on limits.

    They are a slot of ``cap``, if it is capped, and the code's own, if it is ``single_use``.
    """

    condition_id: str
    emission_id: str
    cap: Limit | None
    single_use: bool


@dataclass(frozen=True, slots=True, eq=False)
class CompiledInstrument:
    """One instrument of one campaign.

    ``order`` sorts instruments as they are tried. ``met_by``: the basket must have one of these
    keys for the instrument to be considered; empty = it always is.
    """

    campaign: Campaign
    instrument: Instrument
    order: tuple[int, int, int, str, str]
    met_by: frozenset[Key]
    stores: frozenset[str]
    groups: frozenset[str]
    checks: tuple[Check, ...]
    needs: tuple[CodeNeed, ...]
    cap: Limit | None
    offer: Offer

    @property
    def by_code(self) -> bool:
        """Whether only a presented code leads to it."""
        return bool(self.needs)

    def eligible(self, reading: Reading) -> Eligible:
        """The lines that count for it."""
        return reading.eligible(include_discounted=self.instrument.include_discounted)

    def running(self, reading: Reading) -> bool:
        """Whether its campaign runs at the basket's instant: ``starts_at`` ≤ t < ``ends_at``."""
        at = reading.basket.occurred_at
        campaign = self.campaign
        return campaign.status == "running" and campaign.starts_at <= at < campaign.ends_at

    def elsewhere(self, reading: Reading) -> bool:
        """Whether its campaign runs in other stores only."""
        return bool(self.stores) and reading.basket.store_id not in self.stores

    def failure(self, reading: Reading) -> Failure | None:
        """Why the basket does not meet it, limits and the benefit's amount aside; None if it does.

        Store, then customer, then its conditions as written: the first that fails is the reason.
        """
        if self.elsewhere(reading):
            return Failure("wrong_store")
        if self.groups and (failed := customer_failure(reading, self.groups)):
            return failed
        if isinstance(self.offer, BonusOffer) and reading.basket.customer_id is None:
            return Failure("customer_unknown")
        eligible = self.eligible(reading)
        for check in self.checks:
            if failed := check(reading, eligible):
                return failed
        return None

    def limits(self, reading: Reading) -> list[Limit]:
        """Every limit it could take a slot of, whichever of the presented codes it uses."""
        found = [self.cap] if self.cap else []
        for need in self.needs:
            if need.cap:
                found.append(need.cap)
            if need.single_use:
                found += [limits.of_code(c.digest) for c in reading.codes.get(need.emission_id, ())]
        return found


def compile_campaign(campaign: Campaign) -> tuple[CompiledInstrument, ...]:
    """Its instruments, compiled, in the campaign's order."""
    return tuple(_compile(campaign, n) for n in range(len(campaign.instruments)))


def _compile(campaign: Campaign, position: int) -> CompiledInstrument:
    instrument = campaign.instruments[position]
    ids = (campaign.campaign_id, instrument.instrument_id)
    emissions = {emission.emission_id: emission for emission in campaign.emissions}
    most = instrument.max_redemptions
    return CompiledInstrument(
        campaign=campaign,
        instrument=instrument,
        order=(-campaign.priority, -instrument.priority, position, *ids),
        met_by=_met_by(instrument),
        stores=frozenset(campaign.stores),
        groups=frozenset(campaign.customer_groups),
        checks=tuple(compile_condition(c, emissions) for c in instrument.conditions),
        needs=tuple(
            CodeNeed(
                condition_id=c.condition_id,
                emission_id=c.emission_id,
                cap=limits.of_condition(*ids, c.condition_id, c.cap) if c.cap else None,
                single_use=c.emission_id in emissions and emissions[c.emission_id].single_use,
            )
            for c in instrument.conditions
            if isinstance(c, PromoCode)
        ),
        cap=limits.of_instrument(*ids, most) if most else None,
        offer=compile_benefit(instrument.benefit),
    )


def _met_by(instrument: Instrument) -> frozenset[Key]:
    """The keys of its first code condition, else of its first that needs products, else none."""
    codes = [c for c in instrument.conditions if isinstance(c, PromoCode)]
    for condition in codes or instrument.conditions:
        if keys := required_keys(condition):
            return keys
    return frozenset()
