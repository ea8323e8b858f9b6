"""What must hold of a receipt and its customer, one claim after another, until two contradict."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import get_args

from services.emission.validation.claims import Claim
from services.emission.validation.numbers import KNOWN, VISITS, Numbers, said_of_numbers
from shared.events.conditions import (
    Birthday,
    Condition,
    CustomerGroup,
    CustomerKnown,
    CustomerSegment,
    DaysSincePurchase,
    FirstPurchase,
    InCurrency,
    InRegion,
    InStore,
    Near,
    OnDevice,
    PaidBy,
    ProductPurchases,
    PromoCode,
    PurchaseCount,
    PurchaseSum,
    TimeOfDay,
    ViaChannel,
    Weekday,
)
from shared.events.values import Channel, PaymentMethod

ONE_OF: Mapping[str, str] = {
    "payment_method": "methods",
    "channel": "channels",
    "device": "devices",
    "weekday": "days",
    "currency": "currencies",
    "customer_group": "groups",
    "customer_segment": "segments",
    "store": "stores",
    "region": "regions",
}
"""The field of each condition that is met by one of several names."""
_FIELDS = {"time_of_day": "starts", "customer_known": "known", "promo_code": "emission_id"}
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MINUTES = frozenset(range(24 * 60))
# What every receipt has exactly one of, of so many.
_ALL: Mapping[str, frozenset[object]] = {
    "channel": frozenset(get_args(Channel)),
    "weekday": frozenset(DAYS),
    "time_of_day": frozenset(_MINUTES),
    "customer_known": frozenset({True, False}),
    "payment_method": frozenset(get_args(PaymentMethod)),
}
_NOWHERE = (
    "the conditions are near a point and at the till, and none of its stores has a location: "
    "give the stores theirs, or let other channels in"
)
_OF_CUSTOMERS = (
    Birthday,
    CustomerGroup,
    CustomerSegment,
    DaysSincePurchase,
    FirstPurchase,
    ProductPurchases,
    PurchaseCount,
    PurchaseSum,
)


@dataclass(frozen=True)
class Clash:
    """Where (below a condition's path) and why a claim cannot hold."""

    field: str
    message: str


def needs_customer(condition: Condition) -> bool:
    """Whether the condition is met by known customers only."""
    return isinstance(condition, _OF_CUSTOMERS) or (
        isinstance(condition, PromoCode) and condition.own
    )


def field_of(condition: Condition) -> str:
    """The field of the condition that says what it asks for; empty: the condition itself."""
    if hasattr(condition, "compare"):
        return "compare.value"
    return ONE_OF.get(condition.kind, _FIELDS.get(condition.kind, ""))


class Facts:
    """The claims that hold so far, all of them possible together.

    ``tills_are_nowhere``: no store has a location, and only what is bought by other channels brings
    its own.
    """

    def __init__(self, longest_days: int, *, tills_are_nowhere: bool = False) -> None:
        self.tills_are_nowhere = tills_are_nowhere
        self.claims: list[Claim] = []
        self.numbers = Numbers(longest_days)
        self.names: dict[str, _OneOf] = {}

    def copy(self) -> "Facts":
        """The same, to go another way with."""
        one = copy(self)
        one.claims, one.names = list(self.claims), dict(self.names)
        one.numbers = self.numbers.copy()
        return one

    @property
    def is_without_customer(self) -> bool:
        """Whether only receipts without a customer are left."""
        known = self.names.get("customer_known")
        return known is not None and known.allowed == frozenset[object]({False})

    def add(self, claim: Claim) -> Clash | None:
        """Keep the claim, or say why it cannot hold with the others, nor, maybe, at all."""
        if claim.holds and needs_customer(claim.condition) and self.is_without_customer:
            message = "needs a customer, and another condition asks for receipts without one"
            return Clash("", f"{message}: take one of them out")
        for other in self.claims:
            if claim.holds != other.holds and _implies(claim, other):
                return Clash(field_of(claim.condition), _contradicts(other))
        if not self.narrow(claim):
            return Clash(field_of(claim.condition), self._reason(claim))
        self.claims.append(claim)
        return None

    def narrow(self, claim: Claim) -> bool:
        """Narrow what is possible by the claim; False if that leaves nothing."""
        said = list(said_of_numbers(claim))
        kind, names = _said_of_names(claim)
        narrowed = {kind: names} if names is not None else {}
        if claim.holds and needs_customer(claim.condition):
            said.append((VISITS, KNOWN))
            narrowed["customer_known"] = _OneOf(frozenset({True}))
        if claim.holds and self.tills_are_nowhere and isinstance(claim.condition, Near):
            narrowed["channel"] = _OneOf(_ALL["channel"] - {"till"})
        narrowed = {one: self.names.get(one, _OneOf()).meet(new) for one, new in narrowed.items()}
        if not all(one.is_possible(kind) for kind, one in narrowed.items()):
            return False
        if not self.numbers.keep(*said):
            return False
        self.names |= narrowed
        return True

    def _alone(self) -> "Facts":
        """Where nothing was claimed yet."""
        return Facts(self.numbers.longest_days, tills_are_nowhere=self.tills_are_nowhere)

    def _reason(self, claim: Claim) -> str:
        """Which other claim it is that this one cannot hold with."""
        if not self._alone().narrow(claim):
            return "can never be met: change it, or take the condition out"
        for other in self.claims:
            pair = self._alone()
            if pair.narrow(other) and not pair.narrow(claim):
                is_near = any(isinstance(one.condition, Near) for one in (claim, other))
                return _NOWHERE if is_near else _contradicts(other)
        return "contradicts the other conditions that must hold: change one of them"


def _contradicts(other: Claim) -> str:
    return f"contradicts {other.path}, and both must hold: change one of them"


@dataclass(frozen=True)
class _OneOf:
    """What is there is among ``allowed`` (None: anything), and among none of ``excluded``."""

    allowed: frozenset[object] | None = None
    excluded: tuple[frozenset[object], ...] = ()

    def meet(self, other: "_OneOf") -> "_OneOf":
        """Both at once."""
        if self.allowed is None or other.allowed is None:
            allowed = self.allowed if other.allowed is None else other.allowed
        else:
            allowed = self.allowed & other.allowed
        return _OneOf(allowed, self.excluded + other.excluded)

    def is_possible(self, kind: str) -> bool:
        """Whether anything is left."""
        if self.allowed is None:
            return True
        if kind == "payment_method":
            # A receipt may be paid by several; not to be paid by these alone is to have another.
            return bool(self.allowed) and not any(self.allowed <= out for out in self.excluded)
        return not self.allowed <= frozenset[object]().union(*self.excluded)


def _said_of_names(claim: Claim) -> tuple[str, _OneOf | None]:
    condition = claim.condition
    match condition:
        case (
            PaidBy() | ViaChannel() | OnDevice() | Weekday() | InCurrency() | InStore() | InRegion()
        ):
            names = frozenset[object](getattr(condition, ONE_OF[condition.kind]))
        case TimeOfDay():
            names = frozenset[object](_minutes(condition))
        case CustomerKnown():
            names = frozenset[object]({condition.known})
        case _:
            return condition.kind, None
    if claim.holds:
        return condition.kind, _OneOf(names)
    # What pays is not always known before payment: then no method is among them.
    is_always_there = condition.kind in _ALL and not isinstance(condition, PaidBy)
    return condition.kind, _OneOf(_ALL[condition.kind] if is_always_there else None, (names,))


def _minutes(condition: TimeOfDay) -> frozenset[int]:
    starts, ends = (int(at[:2]) * 60 + int(at[3:]) for at in (condition.starts, condition.ends))
    if starts < ends:
        return frozenset(range(starts, ends))
    return _MINUTES - frozenset(range(ends, starts))


def _implies(claim: Claim, other: Claim) -> bool:
    """Whether meeting the one that must be met means meeting the one that must not be."""
    met, unmet = (claim, other) if claim.holds else (other, claim)
    match met.condition, unmet.condition:
        case PromoCode() as one, PromoCode() as two:
            return one.emission_id == two.emission_id and (one.own or not two.own)
        case CustomerGroup() as one, CustomerGroup() as two:
            return set(one.groups) <= set(two.groups)
        case CustomerSegment() as one, CustomerSegment() as two:
            return set(one.segments) <= set(two.segments)
        case one, two:
            return one == two
