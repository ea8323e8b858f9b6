"""What running campaigns give for the codes of an emission, and whether a policy promises just that. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct

from services.customers.offers.policy import Policy, Step
from shared.events.benefits import AmountOff, Benefit, PercentOff, Tiers
from shared.events.conditions import Condition, Not, PromoCode, children
from shared.events.promotion import Campaign


class Backing(Struct, frozen=True, array_like=True):
    """An instrument of a running campaign that gives something for codes of ``emission_id``.

    ``discounts``: in basis points or minor units, as ``discounts_in`` says; none if what it gives is no such discount.
    ``stores``: only there; ``segments``: only those customers (none: everybody). ``groups``: only customers of some
    groups, which are not known here. ``held_back``: basis points of the customers that get nothing. ``personal``: codes
    belong to customers; ``own``: only their owners can use them.
    """

    campaign_id: str
    emission_id: str
    discounts_in: Literal["percent", "amount", "other"]
    discounts: tuple[int, ...]
    starts_at: datetime
    ends_at: datetime
    stores: tuple[str, ...]
    segments: tuple[str, ...]
    groups: bool
    held_back: int
    personal: bool
    own: bool = True

    def serves(self, store_id: str | None, segments: frozenset[str]) -> bool:
        """Whether a customer who buys in this store, in these segments, can use a code. Of groups nothing is known."""
        at_home = not self.stores or store_id is None or store_id in self.stores
        return at_home and (self.groups or not self.segments or bool(segments & {*self.segments}))


Backings = Mapping[str, Sequence[Backing]]
"""By emission."""


def backings(campaign: Campaign) -> list[Backing]:
    """What the campaign gives for codes; nothing while it does not run."""
    if campaign.status != "running":
        return []
    personal = {one.emission_id for one in campaign.emissions if one.kind == "personal"}
    found = []
    for instrument in campaign.instruments:
        kind, discounts = _discounts(instrument.benefit)
        wanted: dict[str, bool] = {}
        for code in (code for one in instrument.conditions for code in _codes(one)):
            wanted[code.emission_id] = code.own or wanted.get(code.emission_id, False)
        found += [
            Backing(
                campaign.campaign_id,
                emission_id,
                kind,
                discounts,
                campaign.starts_at,
                campaign.ends_at,
                campaign.stores,
                campaign.segments,
                bool(campaign.customer_groups),
                campaign.control_group,
                emission_id in personal,
                wanted[emission_id],
            )
            for emission_id in sorted(wanted)
        ]
    return found


def _codes(condition: Condition) -> Iterator[PromoCode]:
    """The codes that a condition asks for, not those it forbids."""
    if isinstance(condition, PromoCode):
        yield condition
    elif not isinstance(condition, Not):
        for _, child in children(condition):
            yield from _codes(child)


def _discounts(benefit: Benefit) -> tuple[Literal["percent", "amount", "other"], tuple[int, ...]]:
    """What a benefit takes off, where that is one figure or (tiers) several."""
    match benefit:
        case PercentOff():
            return "percent", (benefit.percent,)
        case AmountOff():
            return "amount", (benefit.amount,)
        case Tiers():
            each = [_discounts(tier.benefit) for tier in benefit.tiers]
            kinds = {kind for kind, _ in each}
            if kinds in ({"percent"}, {"amount"}):
                return kinds.pop(), tuple(sorted({one for _, found in each for one in found}))
    return "other", ()


def backed(
    step: Step,
    backings: Backings,
    now: datetime,
    until: datetime,
    *,
    store_id: str | None,
    segments: frozenset[str],
) -> datetime | Literal["no_campaign", "campaign_elsewhere"]:
    """Until when the customer can use a code of the step, ``until`` at most; or why not at all."""
    lasting = [
        one for one in backings.get(step.emission_id, ()) if now < one.ends_at and one.personal
    ]
    if not lasting:
        return "no_campaign"
    ends = [one.ends_at for one in lasting if one.serves(store_id, segments)]
    return min(until, max(ends)) if ends else "campaign_elsewhere"


Finding = Literal[
    "no_campaign",
    "not_personal",
    "other_discount",
    "not_begun",
    "ends_soon",
    "for_some_stores",
    "for_some_customers",
    "has_control_group",
    "for_whoever_has_it",
]
STOPS: frozenset[Finding] = frozenset({"no_campaign", "not_personal", "other_discount"})
"""What a policy cannot be started with; the rest is good to know."""


class Note(Struct, frozen=True):
    """Something about a step (from 1) that its author should know; ``gives``: the discounts that are given."""

    step: int
    finding: Finding
    campaign_id: str | None = None
    gives: tuple[int, ...] = ()

    @property
    def stops(self) -> bool:
        """Whether a policy cannot be started so."""
        return self.finding in STOPS


def check(policy: Policy, backings: Backings, now: datetime) -> list[Note]:
    """Where a policy promises what no running campaign gives, or not to everybody."""
    return [
        warning
        for number, step in enumerate(policy.steps, start=1)
        for warning in _check_step(policy, number, step, backings.get(step.emission_id, ()), now)
    ]


def _check_step(
    policy: Policy, number: int, step: Step, found: Sequence[Backing], now: datetime
) -> Iterable[Note]:
    lasting = [one for one in found if now < one.ends_at]
    if not lasting:
        return [Note(number, "no_campaign")]
    if not any(one.personal for one in lasting):
        return [Note(number, "not_personal", lasting[0].campaign_id)]
    fitting = [
        one
        for one in lasting
        if one.discounts_in == policy.discounts_in and step.discount in one.discounts
    ]
    if not fitting:
        first = lasting[0]
        gives = first.discounts if first.discounts_in == policy.discounts_in else ()
        return [Note(number, "other_discount", first.campaign_id, gives)]
    return [
        Note(number, finding, one.campaign_id)
        for one in fitting
        for finding in _limits(one, step, now)
    ]


def _limits(one: Backing, step: Step, now: datetime) -> Iterator[Finding]:
    """What keeps some customers from using a code, or will soon; or lets others use it."""
    if now < one.starts_at:
        yield "not_begun"
    if (one.ends_at - now).days < step.valid_days:
        yield "ends_soon"
    if one.stores:
        yield "for_some_stores"
    if one.segments or one.groups:
        yield "for_some_customers"
    if one.held_back:
        yield "has_control_group"
    if not one.own:
        yield "for_whoever_has_it"
