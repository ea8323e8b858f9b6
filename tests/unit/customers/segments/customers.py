"""Customers for these tests: states made of visits, at days and seconds before a fixed now."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.customers.profile import DAY_S, Bought, Spent, State, Visit
from services.customers.segments.check import View
from services.customers.segments.definition import Condition, Definition
from services.customers.segments.evaluation import compiled
from shared.events.selection import Comparison

NOW = 1_764_590_400  # Monday 1 December 2025, 12:00 UTC


@dataclass(frozen=True)
class Trip:
    """A purchase ``days`` before ``NOW``; ``goods``: of each group how much (thousandths) and for how much."""

    days: float
    paid: int = 10_000
    promo: bool = False
    with_code: bool = False
    returned: bool = False
    store: str = "s1"
    device: str = "till"
    currency: str = "UAH"
    offset_minutes: int = 0
    goods: tuple[tuple[str, int, int], ...] = ()


def state_of(trips: Iterable[Trip]) -> State:
    """A state with these visits, and the totals that they come to."""
    state = State()
    for n, trip in enumerate(trips):
        at = NOW - round(trip.days * DAY_S)
        state.visits.append(
            Visit(
                at=at,
                receipt=n,
                store=_index(state, trip.store),
                device=_index(state, trip.device),
                currency=_index(state, trip.currency),
                offset_minutes=trip.offset_minutes,
                paid=0 if trip.returned else trip.paid,
                discount=0,
                promo=trip.promo,
                with_code=trip.with_code,
                returned=trip.returned,
                goods=[Bought(_index(state, g), q, p) for g, q, p in trip.goods],
            )
        )
        state.first_at = at if state.first_at is None else min(at, state.first_at)
        state.latest_at = at if state.latest_at is None else max(at, state.latest_at)
        spent = state.spent.setdefault(trip.currency, Spent())
        spent.paid += trip.paid
        spent.refunded += trip.returned * trip.paid
        state.returns += trip.returned
        if not trip.returned:
            state.purchases += 1
            spent.purchases += 1
            state.promo_purchases += trip.promo
            state.with_code += trip.with_code
    state.visits.sort()
    return state


def view_of(*trips: Trip) -> View:
    """A customer with these purchases."""
    return View(state_of(trips))


def holds(condition: Condition, view: View, now: int = NOW) -> bool:
    """Whether the condition is met."""
    return ask(condition, view, now)[0]


def ask(condition: Condition, view: View, now: int = NOW) -> tuple[bool, int]:
    """Whether the condition is met, and until when."""
    return compiled(Definition(conditions=(condition,)))(view, now)


def compare(op: str, value: int, upper: int | None = None) -> Comparison:
    """A comparison."""
    return Comparison.model_validate({"op": op, "value": value, "upper": upper})


def _index(state: State, name: str) -> int:
    if name not in state.names:
        state.names.append(name)
    return state.names.index(name)
