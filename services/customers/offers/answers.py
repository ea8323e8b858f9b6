"""What the API of offers answers with. Money in minor units, shares in basis points."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Self

from pydantic import Field

from services.customers.offers import life, outcome
from services.customers.offers.backing import Finding, Note
from services.customers.offers.life import Record, Tally, Why
from services.customers.offers.plan import SkipReason
from services.customers.offers.policy import Cap, Policy
from services.customers.offers.store.outcomes import Bought
from services.customers.offers.store.policies import Action, Change, Kept, Status
from shared.events.values import Event

_ALL = 10_000  # basis points


class NoteView(Event):
    """Something about a step (from 1) that its author should know: what running campaigns give is not what it promises.

    ``stops``: the policy cannot be started so. ``gives``: the discounts that the campaign gives instead.
    """

    step: int
    finding: Finding
    campaign_id: str | None
    gives: tuple[int, ...]
    stops: bool

    @classmethod
    def of(cls, note: Note) -> Self:
        """The view of a note."""
        return cls(
            step=note.step,
            finding=note.finding,
            campaign_id=note.campaign_id,
            gives=note.gives,
            stops=note.stops,
        )


class StepView(Event):
    """How the offers of a step stand. ``codes`` were asked for and not given up, ``offered`` ever sent.

    ``likely`` is what open ones may still give, ``given`` what used ones gave.
    """

    step: int
    codes: int
    offered: int
    used: int
    expired: int
    refused: int
    held_back: int
    likely: int
    given: int

    @classmethod
    def of(cls, step: int, tally: Tally) -> Self:
        """The view of a step's tally."""
        return cls(
            step=step,
            codes=tally.codes,
            offered=tally.offered,
            used=tally.used,
            expired=tally.expired,
            refused=tally.refused,
            held_back=tally.held_back,
            likely=tally.likely,
            given=tally.given,
        )


class EstimateView(Event):
    """A figure with its 95% interval. ``proven``: nought is outside."""

    value: int
    lower: int
    upper: int
    proven: bool

    @classmethod
    def of(cls, found: outcome.Estimate | None, times: int) -> Self | None:
        """The view of a figure, in units of which ``times`` make one."""
        if found is None:
            return None
        value, lower, upper = (
            round(one * times) for one in (found.value, found.lower, found.upper)
        )
        return cls(value=value, lower=lower, upper=upper, proven=found.proven)


class ArmView(Event):
    """Customers of an arm whose days are over: how many, how many of them bought, and what they paid."""

    customers: int
    buyers: int
    paid: int

    @classmethod
    def of(cls, arm: outcome.Arm) -> Self:
        """The view of an arm."""
        return cls(customers=arm.customers, buyers=arm.buyers, paid=arm.paid)


class OutcomeView(Event):
    """What offers brought in the days of a step, or (``step`` 0) in those of all steps.

    Everybody counts who was begun with, once, by the first time. ``used`` and ``bought_anyway`` (without the code) are of the
    treated, ``running``: customers whose days are not over. ``more_buyers``: by how much their share is larger
    (basis points); ``more_spending``: how much more a customer pays (minor units); ``uplift``: the same as a share of
    what is paid without offers (basis points). None for too few customers.
    """

    step: int
    treated: ArmView
    held_back: ArmView
    used: int
    bought_anyway: int
    running: int
    more_buyers: EstimateView | None
    more_spending: EstimateView | None
    uplift: EstimateView | None

    @classmethod
    def of(cls, bought: Bought) -> Self:
        """The view of what the arms bought."""
        arms = bought.treated, bought.held_back
        return cls(
            step=bought.step,
            treated=ArmView.of(bought.treated),
            held_back=ArmView.of(bought.held_back),
            used=bought.used,
            bought_anyway=bought.bought_anyway,
            running=bought.running,
            more_buyers=EstimateView.of(outcome.more_buyers(*arms), _ALL),
            more_spending=EstimateView.of(outcome.more_spending(*arms), 1),
            uplift=EstimateView.of(outcome.uplift(*arms), _ALL),
        )


class PolicyView(Event):
    """A policy: what it says, how it stands, and what became of its offers. ``version`` rises with each edit."""

    policy: Policy
    version: int
    status: Status
    created_at: datetime
    changed_at: datetime
    changed_by: str
    notes: tuple[NoteView, ...]
    steps: tuple[StepView, ...]
    outcome: OutcomeView | None = None

    @classmethod
    def of(
        cls,
        kept: Kept,
        notes: Iterable[Note],
        tallies: Mapping[tuple[str, int], Tally],
        bought: Bought | None = None,
    ) -> Self:
        """The view of a policy."""
        none = Tally()
        policy = kept.policy
        numbers = range(1, len(policy.steps) + 1)
        return cls(
            policy=policy,
            version=kept.version,
            status=kept.status,
            created_at=kept.created_at,
            changed_at=kept.changed_at,
            changed_by=kept.changed_by,
            notes=tuple(map(NoteView.of, notes)),
            steps=tuple(
                StepView.of(step, tallies.get((policy.policy_id, step), none)) for step in numbers
            ),
            outcome=None if bought is None else OutcomeView.of(bought),
        )


class Policies(Event):
    """All policies, by name; and how many offers a customer may have of all of them."""

    items: tuple[PolicyView, ...]
    cap: Cap


class ChangeView(Event):
    """What was done to a policy, by whom, and what it said then."""

    number: int
    action: Action
    version: int
    policy: Policy
    changed_at: datetime
    changed_by: str

    @classmethod
    def of(cls, change: Change) -> Self:
        """The view of a change."""
        return cls(
            number=change.number,
            action=change.action,
            version=change.version,
            policy=change.policy,
            changed_at=change.changed_at,
            changed_by=change.changed_by,
        )


class Changes(Event):
    """What was done to a policy, the latest first; the last hundred."""

    items: tuple[ChangeView, ...]


class OfferView(Event):
    """An offer, without its code: that goes to the CRM alone. ``cost`` is what it may give, ``given`` what it gave.

    ``held_back``: the customer is in the control group, and is sent nothing. ``why`` it came to nothing.
    """

    offer_id: str
    series_id: str
    policy_id: str
    customer_id: str
    status: life.Status
    reason: str
    step: int
    emission_id: str
    discount: int
    cost: int
    currency: str
    send_at: datetime
    valid_until: datetime
    changed_at: datetime
    receipt_id: str | None
    given: int
    why: Why | None

    @classmethod
    def of(cls, record: Record) -> Self:
        """The view of an offer."""
        return cls(
            offer_id=record.offer_id,
            series_id=record.series_id,
            policy_id=record.policy_id,
            customer_id=record.customer_id,
            status=record.status,
            reason=record.reason,
            step=record.step,
            emission_id=record.emission_id,
            discount=record.discount,
            cost=record.cost,
            currency=record.currency,
            send_at=record.send_at,
            valid_until=record.valid_until,
            changed_at=record.changed_at,
            receipt_id=record.receipt_id,
            given=record.given,
            why=record.why,
        )


class Offers(Event):
    """Offers, the latest first; ``next`` is the ``after`` of the next page."""

    items: tuple[OfferView, ...]
    next: str | None = None


class Outcomes(Event):
    """What a policy's offers brought: of all its steps (0), and of each."""

    items: tuple[OutcomeView, ...]


class Skipped(Event):
    """Customers who would be made no offer, by the first reason that was found."""

    reason: SkipReason
    customers: int


class StepReached(Event):
    """Customers who would be made the offer of a step."""

    step: int
    customers: int


class Trial(Event):
    """Whom a policy would make an offer today, and why not the others; nothing is sent, and nothing is kept.

    Of ``customers`` so many were ``checked``, drawn by lot; the other figures are for all of them, and exact if all were
    checked. ``reached`` are those who would be begun with: of them ``held_back`` would be sent nothing. ``cost``: what
    the others' codes would give if all were used.
    """

    customers: int
    checked: int
    reached: int
    held_back: int
    cost: int
    steps: tuple[StepReached, ...]
    skipped: tuple[Skipped, ...]
    first_at: datetime | None
    last_at: datetime | None
    notes: tuple[NoteView, ...] = Field(description="of the policy as it was sent")
