"""Facts of a time before their customer was erased, read after it: they stay facts, and are nobody's.

So sums and baskets are whole whatever came when, and no profile begins again with what was to be forgotten.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from services.customers.messages import (
    BonusEntry,
    CodeAttempt,
    CodeChunk,
    CodeIssued,
    Decision,
    Message,
    Receipt,
    Returned,
)


def named_in(facts: Iterable[Message]) -> set[str]:
    """The customers whom facts name."""
    named: set[str | None] = set()
    for fact in facts:
        if isinstance(fact, CodeChunk):
            named.update(fact.holders)
        else:
            named.add(fact.customer_id)
    return {customer_id for customer_id in named if customer_id is not None}


def without_forgotten(
    facts: Iterable[Message], forgotten: Mapping[str, datetime]
) -> Sequence[Message]:
    """The facts, with nobody's name in what happened up to their erasure (by customer); what is of no use so is left out."""
    return [kept for fact in facts if (kept := _without(fact, forgotten)) is not None]


def _without(fact: Message, forgotten: Mapping[str, datetime]) -> Message | None:
    if isinstance(fact, CodeChunk):
        held = [_is_late(one, fact.posted_at, forgotten) for one in fact.holders]
        if not any(held):
            return fact
        holders = zip(fact.holders, held, strict=True)
        return replace(fact, holders=tuple(None if late else one for one, late in holders))
    match fact:
        case Returned():  # it is of what was bought before: the two go together
            at = fact.sold_at
        case CodeIssued():
            at = fact.issued_at
        case _:
            at = fact.occurred_at
    if not _is_late(fact.customer_id, at, forgotten):
        return fact
    match fact:
        case BonusEntry() | CodeIssued():
            return None
        case CodeAttempt() if fact.who == "customer":
            return None
        case Receipt() | Returned() | Decision() | CodeAttempt():
            return replace(fact, customer_id=None)


def _is_late(customer_id: str | None, at: datetime, forgotten: Mapping[str, datetime]) -> bool:
    erased_at = forgotten.get(customer_id) if customer_id is not None else None
    return erased_at is not None and at <= erased_at
