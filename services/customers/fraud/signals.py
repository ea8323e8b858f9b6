"""What facts tell of subjects: receipts, returns, codes that were not the customer's to use, lock-outs.

Pure. Most facts tell next to nothing: that a store and a cashier had one more receipt.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from msgspec import Struct

from services.customers.fraud.conduct import PLAIN, Measure, Signal, Subject, party_of
from services.customers.messages import CodeAttempt, Decision, Receipt, Returned

QUICK_S = 3_600
MISTYPED = 2
"""So many unknown codes on a receipt are nobody's surplus."""
_RETURN: Mapping[Measure, int] = {"returns": 1}
_LOCKOUT: Mapping[Measure, int] = {"lockouts": 1}

Fact = Receipt | Returned | Decision | CodeAttempt


class Presented(Struct, frozen=True):
    """What was counted of a receipt's codes: the most that any revision of its cart had."""

    unknown: int = 0
    foreign: bool = False


NOTHING = Presented()


def of_receipt(receipt: Receipt, now: datetime) -> Iterator[Signal]:
    """A receipt's signals. What is said to be in the future is now."""
    at, receipt_id = _at(receipt.occurred_at, now), receipt.receipt_id
    shown = _sums(receipt) if receipt.redemptions else {}
    everything: Mapping[Measure, int] = {**PLAIN, **shown} if shown else PLAIN
    customer = receipt.customer_id
    yield Signal(Subject("store", receipt.store_id), at, receipt_id, everything)
    if receipt.cashier_id is not None:
        party = party_of(customer) if customer is not None else None
        cashier = Subject("cashier", f"{receipt.store_id}:{receipt.cashier_id}")
        yield Signal(cashier, at, receipt_id, everything, party)
    if not shown:
        return
    if customer is not None:
        party = party_of(receipt.store_id)
        yield Signal(Subject("customer", customer), at, receipt_id, shown, party)
    if "code_receipts" in shown or "unauthorised" in shown:
        party = party_of(customer) if customer is not None else None
        who = Subject("customer", customer) if customer is not None else None
        for subject in _web(receipt):
            yield Signal(subject, at, receipt_id, shown, party, customer=who)


def of_return(returned: Returned, now: datetime) -> Iterator[Signal]:
    """A return's signals: of where it was taken, and of the customer."""
    at, receipt_id = _at(returned.occurred_at, now), returned.receipt_id
    is_quick = (returned.occurred_at - returned.sold_at).total_seconds() <= QUICK_S
    sums: dict[Measure, int] = {**_RETURN, "quick_returns": 1} if is_quick else {**_RETURN}
    if returned.complete and returned.redemptions:
        sums["promo_returns"] = 1
        if any(one.emission_id for one in returned.redemptions):
            sums["code_returns"] = 1
    if returned.customer_id is not None:
        # Counted when it was bought: of those purchases it is a share.
        customer, sold = Subject("customer", returned.customer_id), _at(returned.sold_at, now)
        yield Signal(customer, sold, receipt_id, sums, seen=at)
    yield Signal(Subject("store", returned.store_id), at, receipt_id, sums)
    if returned.cashier_id is not None:
        cashier = Subject("cashier", f"{returned.store_id}:{returned.cashier_id}")
        yield Signal(cashier, at, receipt_id, sums)


def presented(decision: Decision, before: Presented) -> Presented:
    """What is known to have been presented once this answer to a revision is."""
    unknown = sum(unused.reason == "unknown_code" for unused in decision.unused_codes)
    foreign = bool(decision.foreign_codes) or any(
        unused.reason == "code_not_yours" for unused in decision.unused_codes
    )
    return Presented(max(unknown, before.unknown), foreign or before.foreign)


def of_decision(
    decision: Decision, before: Presented, after: Presented, now: datetime
) -> Iterator[Signal]:
    """What an answer adds to what its receipt was known for: revisions of a cart present the same codes again."""
    sums: dict[Measure, int] = {}
    if after.unknown > before.unknown:
        sums["unknown_codes"] = after.unknown - before.unknown
        surplus = max(after.unknown - MISTYPED, 0) - max(before.unknown - MISTYPED, 0)
        if surplus:
            sums["surplus_codes"] = surplus
    if after.foreign and not before.foreign:
        sums["foreign_codes"] = 1
    if not sums:
        return
    at, receipt_id = _at(decision.occurred_at, now), decision.receipt_id
    customer = decision.customer_id
    if customer is not None:
        yield Signal(Subject("customer", customer), at, receipt_id, sums)
    for subject in _web(decision):
        party = party_of(customer) if customer is not None else None
        yield Signal(subject, at, receipt_id, sums, party)
    if decision.cashier_id is not None:
        cashier = Subject("cashier", f"{decision.store_id}:{decision.cashier_id}")
        yield Signal(cashier, at, receipt_id, sums)


def of_attempt(attempt: CodeAttempt, now: datetime) -> Iterator[Signal]:
    """That somebody who is locked out went on. A locked terminal is its store's."""
    at = _at(attempt.occurred_at, now)
    receipt_id = attempt.receipt_id or attempt.attempt_id
    match attempt.who:
        case "customer" | "address" as kind:
            subject = Subject(kind, attempt.subject)
        case "store" | "terminal":
            subject = Subject("store", attempt.store_id)
    yield Signal(subject, at, receipt_id, _LOCKOUT)


def _at(occurred_at: datetime, now: datetime) -> int:
    return int(min(occurred_at, now).timestamp())


def _web(fact: Receipt | Decision) -> Iterator[Subject]:
    if fact.device_id is not None:
        yield Subject("device", fact.device_id)
    if fact.address is not None:
        yield Subject("address", fact.address)


def _sums(receipt: Receipt) -> dict[Measure, int]:
    sums: dict[Measure, int] = {}
    codes = [one for one in receipt.redemptions if one.emission_id and one.status == "committed"]
    wrong = [one for one in receipt.redemptions if one.status == "unauthorised"]
    if len(wrong) < len(receipt.redemptions):
        sums["promo_receipts"] = 1
    if codes:
        sums["code_receipts"] = 1
        sums["codes"] = len(codes)
        sums["discount"] = sum(one.discount for one in codes)
    if wrong:
        sums["unauthorised"] = 1
        sums["unauthorised_discount"] = sum(one.discount for one in wrong)
    return sums
