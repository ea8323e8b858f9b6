"""Whether a customer is made an offer, which one and when; and if not, why. Pure.

Whoever is in the control group is decided about like everybody else: it is looked at only when a code would be asked for.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import blake2b
from typing import Literal
from zoneinfo import ZoneInfo

from services.customers.offers import moment, sales
from services.customers.offers.backing import Backings, backed
from services.customers.offers.policy import Audience, Cap, Policy, SalesRule, Step, When

SkipReason = Literal[
    "open_offer",
    "pausing",
    "not_in_segments",
    "in_excluded_segment",
    "no_forecast",
    "probability",
    "expected_date",
    "no_purchases",
    "days_since_purchase",
    "purchases",
    "promo_share",
    "bought_anyway",
    "sales_volume",
    "sales_unknown",
    "emission_in_use",
    "no_campaign",
    "campaign_elsewhere",
    "campaign_ends",
    "out_of_season",
    "too_early",
    "capped",
    "capped_over_all",
    "budget_codes",
    "budget_cost",
    "not_running",
    "no_such_step",
    "blocked",
]
LEAD = timedelta(minutes=10)
"""So long before it is sent a code is asked for, and whether it should be is decided for good."""
MOST_AHEAD = timedelta(days=7)
"""Nothing is planned for later: much may change until then."""
_LEAST_VALID = timedelta(days=1)
_ALL = 10_000  # basis points


@dataclass(frozen=True, slots=True)
class Customer:
    """What is known of a customer. ``hours``: how many purchases were made in each hour, by their stores' clocks.

    ``store_id`` is where they buy most often, ``zone`` its time zone (None: not known). ``average``: what they pay for a
    receipt (minor units), by currency. ``blocked``: promotions are withheld from them.
    """

    customer_id: str
    segments: frozenset[str] = frozenset()
    probability: int | None = None
    expected_on: date | None = None
    purchases: int = 0
    last_purchase_at: datetime | None = None
    promo_share: int = 0
    store_id: str | None = None
    region: str | None = None
    zone: ZoneInfo | None = None
    hours: tuple[int, ...] = (0,) * moment.HOURS
    average: Mapping[str, int] = field(default_factory=dict)
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class Earlier:
    """An offer that the customer was made, will be made, or would have been made (control group).

    ``open``: it may still lead to something. ``valid_until`` is that of its code.
    """

    offer_id: str
    policy_id: str
    reason: str
    emission_id: str
    send_at: datetime
    valid_until: datetime
    open: bool


@dataclass(frozen=True, slots=True)
class Situation:
    """What does not depend on the customer: what campaigns give, how sales go, what is left of budgets.

    ``shares``: what sales are of those they are compared with (basis points); None: those were nothing.
    ``codes`` and ``cost`` of policies are what of their budgets is used up.
    """

    backings: Backings = field(default_factory=dict)
    shares: Mapping[sales.Asked, int | None] = field(default_factory=dict)
    codes: Mapping[str, int] = field(default_factory=dict)
    cost: Mapping[str, int] = field(default_factory=dict)
    cap: Cap | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """An offer to be made: ``discount`` as the policy counts it, ``cost`` what it is likely to cost if it is used."""

    step: int
    emission_id: str
    discount: int
    cost: int
    send_at: datetime
    valid_until: datetime
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Skip:
    """No offer, and why."""

    reason: SkipReason


@dataclass(frozen=True, slots=True)
class Raise:
    """An offer was not used: the next ``step``, not before ``earliest``; it was sent at ``sent_at``."""

    step: int
    sent_at: datetime
    earliest: datetime


def held_back(policy_id: str, customer_id: str, share: int) -> bool:
    """Whether the customer is of the policy's control group (``share`` basis points): by a hash, always the same."""
    number = int.from_bytes(blake2b(f"{policy_id}/{customer_id}".encode(), digest_size=8).digest())
    return number % _ALL < share


def decide(
    policy: Policy,
    customer: Customer,
    earlier: Sequence[Earlier],
    situation: Situation,
    now: datetime,
    *,
    after: Raise | None = None,
) -> Plan | Skip:
    """What the policy has for the customer now; ``earlier`` are their offers of all policies but the one decided about.

    ``after``: an offer was not used; then neither segments nor forecast are asked again, but whether they have bought.
    """
    zone = customer.zone or policy.zone
    reasons = (
        _began(policy, customer, earlier, now, zone)
        if after is None
        else _raised(customer, policy, after)
    )
    reason = next(iter(reasons), None)
    if reason is not None:
        return Skip(reason)
    number = after.step if after else _first_step(policy, customer, situation, now, zone)
    if number > len(policy.steps):  # it was edited since
        return Skip("no_such_step")
    earliest = max(now, after.earliest) if after else now
    expected_on = None if after else customer.expected_on
    send_at = moment.sending_time(
        policy.sending,
        policy.quiet_hours,
        policy.season,
        earliest,
        expected_on,
        customer.hours,
        zone,
    )
    unmet = _sales(policy.sales, customer, situation, now, zone)
    if unmet is not None:
        return Skip(unmet)
    if send_at is None:
        return Skip("out_of_season")
    if send_at > earliest + MOST_AHEAD:
        return Skip("too_early")
    return _placed(policy, customer, earlier, situation, now, zone, number, send_at)


def _placed(
    policy: Policy,
    customer: Customer,
    earlier: Sequence[Earlier],
    situation: Situation,
    now: datetime,
    zone: ZoneInfo,
    number: int,
    send_at: datetime,
) -> Plan | Skip:
    """The step's offer at that time, if campaigns, caps and budget allow it."""
    step = policy.step(number)
    usable = backed(
        step,
        situation.backings,
        now,
        moment.end_of(step, send_at, zone),
        store_id=customer.store_id,
        segments=customer.segments,
    )
    if isinstance(usable, str):
        return Skip(usable)
    if usable - send_at < _LEAST_VALID:
        return Skip("campaign_ends")
    cost = expected_cost(policy, step, customer)
    reason = next(_bounds(policy, step, earlier, situation, send_at, cost), None)
    if reason is not None:
        return Skip(reason)
    return Plan(number, step.emission_id, step.discount, cost, send_at, usable, zone)


def expected_cost(policy: Policy, step: Step, customer: Customer) -> int:
    """What the step's code gives (minor units) on an average receipt of the customer, half up; nought if none is known."""
    if policy.discounts_in == "amount":
        return step.discount
    average = customer.average.get(policy.currency, 0)
    return (2 * average * step.discount + _ALL) // (2 * _ALL)


def _began(
    policy: Policy, customer: Customer, earlier: Sequence[Earlier], now: datetime, zone: ZoneInfo
) -> Iterator[SkipReason]:
    """What is against a first offer."""
    if customer.blocked:
        yield "blocked"
    yield from _occupied(policy, earlier, now, zone)
    yield from _outside(policy.who, customer.segments)
    today = now.astimezone(zone).date()
    yield from _otherwise(policy.when, customer, today, zone)
    yield from _unexpected(policy.when, customer, today)


def _outside(who: Audience, segments: frozenset[str]) -> Iterator[SkipReason]:
    if not segments.issuperset(who.all_of):
        yield "not_in_segments"
    if who.any_of and segments.isdisjoint(who.any_of):
        yield "not_in_segments"
    if not segments.isdisjoint(who.none_of):
        yield "in_excluded_segment"


def _otherwise(when: When, customer: Customer, today: date, zone: ZoneInfo) -> Iterator[SkipReason]:
    """What they have bought is not what the policy is for."""
    if when.purchases is not None and not when.purchases.holds(customer.purchases):
        yield "purchases"
    if when.promo_share is not None and not when.promo_share.holds(customer.promo_share):
        yield "promo_share"
    if when.days_since_purchase is not None:
        if customer.last_purchase_at is None:
            yield "no_purchases"
        else:
            last = customer.last_purchase_at.astimezone(zone).date()
            if not when.days_since_purchase.holds((today - last).days):
                yield "days_since_purchase"


def _unexpected(when: When, customer: Customer, today: date) -> Iterator[SkipReason]:
    """What is forecast of them is not what the policy is for."""
    if when.probability is not None:
        if customer.probability is None:
            yield "no_forecast"
        elif not when.probability.holds(customer.probability):
            yield "probability"
    if when.days_to_expected is not None:
        if customer.expected_on is None:
            yield "no_forecast"
        elif not when.days_to_expected.holds((customer.expected_on - today).days):
            yield "expected_date"


def _occupied(
    policy: Policy, earlier: Iterable[Earlier], now: datetime, zone: ZoneInfo
) -> Iterator[SkipReason]:
    """Never two offers at once for one reason; and a pause between them."""
    for one in earlier:
        if one.reason != policy.reason:
            continue
        if one.open:
            yield "open_offer"
        # Until its end a code that came back with a return can be used again.
        elif now < moment.after_days(one.valid_until, policy.pause_days, zone):
            yield "pausing"


def _raised(customer: Customer, policy: Policy, after: Raise) -> Iterator[SkipReason]:
    """What is against a bigger discount for who did not use the one before."""
    if customer.blocked:
        yield "blocked"
    if not customer.segments.isdisjoint(policy.who.none_of):
        yield "in_excluded_segment"
    if customer.last_purchase_at is not None and customer.last_purchase_at >= after.sent_at:
        yield "bought_anyway"


def _first_step(
    policy: Policy, customer: Customer, situation: Situation, now: datetime, zone: ZoneInfo
) -> int:
    """With which step the season and the sales have offers begin."""
    today = now.astimezone(zone).date()
    for one in policy.beginnings:
        if one.season.holds(today) and _sales(one.sales, customer, situation, now, zone) is None:
            return one.step
    return 1


def asked_of(
    rules: Iterable[SalesRule], customer: Customer, now: datetime, zone: ZoneInfo
) -> Iterator[sales.Asked | None]:
    """What the rules have to know of sales, for this customer."""
    today = now.astimezone(zone).date()
    for rule in rules:
        yield sales.asked(rule, today, store_id=customer.store_id, region=customer.region)


def every_rule(policy: Policy) -> Iterator[SalesRule]:
    """All rules of a policy about sales."""
    yield from policy.sales
    for one in policy.beginnings:
        yield from one.sales


def _sales(
    rules: Sequence[SalesRule],
    customer: Customer,
    situation: Situation,
    now: datetime,
    zone: ZoneInfo,
) -> Literal["sales_volume", "sales_unknown"] | None:
    for rule, question in zip(rules, asked_of(rules, customer, now, zone), strict=True):
        share = None if question is None else situation.shares.get(question)
        if share is None:
            return "sales_unknown"
        if not sales.holds(rule, share):
            return "sales_volume"
    return None


def _bounds(
    policy: Policy,
    step: Step,
    earlier: Sequence[Earlier],
    situation: Situation,
    send_at: datetime,
    cost: int,
) -> Iterator[SkipReason]:
    """What caps and budget forbid. Offers to the control group count as if they were made, to keep the arms alike."""
    if any(one.emission_id == step.emission_id and one.valid_until > send_at for one in earlier):
        # A receipt says only of which emission its code was.
        yield "emission_in_use"
    own = [one.send_at for one in earlier if one.policy_id == policy.policy_id]
    if policy.cap is not None and _exceeds(policy.cap, own, send_at):
        yield "capped"
    if situation.cap is not None and _exceeds(
        situation.cap, [one.send_at for one in earlier], send_at
    ):
        yield "capped_over_all"
    budget = policy.budget
    if budget.codes is not None and situation.codes.get(policy.policy_id, 0) >= budget.codes:
        yield "budget_codes"
    spent = situation.cost.get(policy.policy_id, 0)
    if budget.cost is not None and spent + cost > budget.cost:
        yield "budget_cost"


def _exceeds(cap: Cap, others: Sequence[datetime], send_at: datetime) -> bool:
    """Whether with one more at ``send_at`` there are too many within some span of the cap's days."""
    span = timedelta(days=cap.days)
    times = [*others, send_at]
    return any(
        sum(end - span < at <= end for at in times) > cap.offers
        for end in times
        if send_at <= end < send_at + span
    )
