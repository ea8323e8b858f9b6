"""What codes that come, receipts and returns make of offers. Pure.

Events come in any order: the return of a receipt may be read before the receipt. What it released then is kept, and the
receipt uses nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.customers.messages import CodeIssued, Receipt, Returned
from services.customers.offers import life
from services.customers.offers.life import Record


def uses(fact: object) -> dict[str, int]:
    """The emissions whose codes a receipt of a customer used, and what they gave (minor units)."""
    if not isinstance(fact, Receipt) or fact.customer_id is None:
        return {}
    found: dict[str, int] = {}
    for one in fact.redemptions:
        if one.emission_id is not None and one.status == "committed":
            found[one.emission_id] = found.get(one.emission_id, 0) + one.discount
    return found


def releases(fact: object) -> frozenset[str]:
    """The emissions whose codes a return of a customer lets be used again."""
    if not isinstance(fact, Returned) or fact.customer_id is None:
        return frozenset()
    return frozenset(
        one.emission_id for one in fact.redemptions if one.emission_id is not None and one.released
    )


@dataclass
class Book:
    """Offers that a batch of facts may be about. ``released``: (receipt, emission) of returns that came before their receipt."""

    records: dict[str, Record]
    released: set[tuple[str, str]] = field(default_factory=set)
    now_released: dict[tuple[str, str], str] = field(default_factory=dict)
    """What this batch adds to them, with the customer."""
    _before: Mapping[str, Record] = field(init=False)

    def __post_init__(self) -> None:
        """Remember how they were."""
        self._before = dict(self.records)

    def apply(self, facts: Iterable[object], now: datetime) -> None:
        """Take the facts in, in their order."""
        for fact in facts:
            match fact:
                case CodeIssued():
                    self._answer(fact, now)
                case Receipt():
                    self._use(fact, now)
                case Returned():
                    self._release(fact, now)
                case _:
                    continue

    @property
    def changes(self) -> list[tuple[Record | None, Record]]:
        """The offers that are not what they were: before, and now."""
        return [
            (self._before[offer_id], record)
            for offer_id, record in sorted(self.records.items())
            if record != self._before[offer_id]
        ]

    def _answer(self, fact: CodeIssued, now: datetime) -> None:
        record = self.records.get(fact.request_id)
        if record is None:
            return  # not ours, or erased since
        if fact.code is not None:
            changed = life.issued(record, fact.code, fact.valid_until, now)
        else:
            changed = life.refused(record, fact.refused or "no_such_emission", now)
        self.records[fact.request_id] = changed

    def _use(self, receipt: Receipt, now: datetime) -> None:
        for emission_id, given in uses(receipt).items():
            if (receipt.receipt_id, emission_id) in self.released:
                continue
            found = [
                record
                for record in self.records.values()
                if record.customer_id == receipt.customer_id
                and record.emission_id == emission_id
                and life.may_be_used(record, receipt.occurred_at)
            ]
            if found:  # the latest: an earlier one is over
                record = max(found, key=lambda one: (one.send_at, one.offer_id))
                self.records[record.offer_id] = life.used(record, receipt.receipt_id, given, now)

    def _release(self, returned: Returned, now: datetime) -> None:
        for emission_id in sorted(releases(returned)):
            mine = [
                record
                for record in self.records.values()
                if record.customer_id == returned.customer_id and record.emission_id == emission_id
            ]
            by_it = [one for one in mine if one.receipt_id == returned.receipt_id]
            for record in by_it:
                self.records[record.offer_id] = life.given_back(record, returned.receipt_id, now)
            if mine and not by_it and returned.customer_id is not None:
                key = (returned.receipt_id, emission_id)
                self.released.add(key)
                self.now_released[key] = returned.customer_id
