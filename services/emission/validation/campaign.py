"""Instruments that can never apply in a campaign that uses them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from services.emission.campaigns import CampaignPlan, Places, period
from services.emission.validation.benefits import gives_discount
from services.emission.validation.claims import Claim
from services.emission.validation.conditions import faults_of_claims
from services.emission.validation.facts import DAYS, Facts
from services.emission.validation.limits import asks_for_code, greatest_amount
from services.emission.validation.spans import FOREVER
from shared.codec import FieldError
from shared.events.conditions import (
    CustomerKnown,
    InCurrency,
    InRegion,
    InStore,
    PromoCode,
    Weekday,
)
from shared.events.promotion import Consecutive, EmissionSummary, Instrument, LimitRule, Rolling
from shared.events.values import Currency

Emissions = Mapping[str, EmissionSummary]
_LENGTHS = {"day": 1, "week": 7, "month": 31}
# Weekdays are the store's, the campaign's days its own: clocks are up to 26 hours apart.
_ZONES_APART_DAYS = 2
_MOST_NAMED = 5
NO_STORES = Places()


def claims_of(instrument: Instrument) -> list[Claim]:
    """What must be met for the instrument to apply."""
    return [Claim(f"conditions.{n}", one) for n, one in enumerate(instrument.conditions)]


def longest_days(instrument: Instrument, campaign_days: int = FOREVER) -> int:
    """The most days that the instrument's processing period can have."""
    chosen = instrument.processing_period
    if chosen == "campaign":
        return campaign_days
    return chosen.days if isinstance(chosen, Rolling | Consecutive) else _LENGTHS[chosen.unit]


def faults_of_campaign(
    plan: CampaignPlan,
    instruments: Sequence[Instrument],
    emissions: Emissions,
    places: Places = NO_STORES,
) -> list[FieldError]:
    """What of its instruments can never apply in the campaign, by field of the campaign.

    ``emissions`` are those that the instruments use, by id; ``places`` what the campaign's stores
    are.
    """
    faults = [
        FieldError(f"instruments.{n}.{fault.field}", fault.message, fault.code)
        for n, instrument in enumerate(instruments)
        for fault in faults_in_campaign(plan, instrument, emissions, places)
    ]
    return [*faults, *_faults_of_limits(plan, instruments)]


def faults_in_campaign(
    plan: CampaignPlan,
    instrument: Instrument,
    emissions: Emissions,
    places: Places = NO_STORES,
) -> list[FieldError]:
    """What of the instrument can never apply in the campaign, by field of the instrument."""
    campaign_days = (plan.last_day - plan.first_day).days + 1
    faults = []
    window = instrument.processing_period
    if isinstance(window, Consecutive) and window.days > campaign_days:
        message = f"the window is longer than all of its {campaign_days} days"
        faults.append(FieldError("processing_period.days", f"{message}: shorten it", "never"))
    claims = claims_of(instrument)
    tills_are_nowhere = bool(places.regions) and not places.have_location
    facts = Facts(longest_days(instrument, campaign_days), tills_are_nowhere=tills_are_nowhere)
    for said in (*_said_of_campaign(plan, emissions), *_said_of_places(places)):
        facts.add(said)
    # What is wrong with the instrument itself was accepted when it was written.
    known = {fault.field for fault in faults_of_claims(claims, Facts(longest_days(instrument)))}
    faults += [fault for fault in faults_of_claims(claims, facts) if fault.field not in known]
    return [replace(f, message=f"in campaign {plan.campaign_id}, {f.message}") for f in faults]


def _said_of_campaign(plan: CampaignPlan, emissions: Emissions) -> Iterator[Claim]:
    """What holds of every receipt in the campaign, as claims."""
    if plan.stores:
        yield Claim("its stores", InStore(stores=plan.stores))
    if plan.customer_groups or plan.segments:
        yield Claim("its customers", CustomerKnown())
    span = (plan.last_day - plan.first_day).days + 2 * _ZONES_APART_DAYS
    if span < len(DAYS):
        first = plan.first_day.weekday() - _ZONES_APART_DAYS
        days = tuple(DAYS[(first + n) % len(DAYS)] for n in range(span + 1))
        yield Claim("its days", Weekday.model_validate({"days": days}))
    starts_at, ends_at = period(plan)
    for emission in emissions.values():
        if not _overlaps(emission, starts_at, ends_at):
            never = PromoCode(emission_id=emission.emission_id)
            yield Claim("its days, when the codes are not valid", never, holds=False)


def _said_of_places(places: Places) -> Iterator[Claim]:
    """What its stores are; unvalidated: there may be more of them than a condition may name."""
    if places.currencies:
        currencies = InCurrency.model_construct(currencies=tuple(map(Currency, places.currencies)))
        yield Claim(f"its stores, which sell in {_named(places.currencies)}", currencies)
    if places.regions:
        regions = InRegion.model_construct(regions=tuple(places.regions))
        yield Claim(f"its stores, which are in {_named(places.regions)}", regions)


def _named(names: Collection[str]) -> str:
    more = len(names) - _MOST_NAMED
    some = ", ".join(sorted(names)[:_MOST_NAMED])
    return f"{some} and {more} more" if more > 0 else some


def _overlaps(emission: EmissionSummary, starts_at: datetime, ends_at: datetime) -> bool:
    starts_in_time = emission.valid_from is None or emission.valid_from < ends_at
    return starts_in_time and (emission.valid_until is None or emission.valid_until > starts_at)


def _faults_of_limits(
    plan: CampaignPlan, instruments: Sequence[Instrument]
) -> Iterator[FieldError]:
    for n, rule in enumerate(plan.limits):
        if "code" in rule.per and not any(asks_for_code(claims_of(one)) for one in instruments):
            message = (
                "counts per code, and no instrument asks for one: count per customer or in all"
            )
            yield FieldError(f"limits.{n}.per", message, "never")
        if rule.money is not None and not any(gives_discount(one.benefit) for one in instruments):
            message = "counts discounts, and no instrument gives one: limit the redemptions"
            yield FieldError(f"limits.{n}.money", message, "never")
        for instrument in instruments:
            yield from _faults_of_limit(rule, instrument, f"limits.{n}")


def _faults_of_limit(rule: LimitRule, instrument: Instrument, path: str) -> Iterator[FieldError]:
    """A limit of the campaign that never lets one of its instruments through."""
    name, amount = instrument.instrument_id, greatest_amount(instrument.benefit)
    if rule.money is not None and amount > rule.money:
        message = f"must be at least {amount}, the amount of {name}: it is paid whole or not at all"
        yield FieldError(f"{path}.money", message, "never")
    if "customer" in rule.per:
        facts = Facts(longest_days(instrument))
        faults_of_claims(claims_of(instrument), facts)
        if facts.is_without_customer:
            message = f"counts per customer, and {name} asks for receipts without one"
            yield FieldError(f"{path}.per", f"{message}: take one of them out", "never")
