"""What happens, applied to offers: within the transaction of the batch that it came in."""

from collections.abc import Sequence
from datetime import datetime

from services.customers import stores
from services.customers.messages import CodeIssued, Message, Receipt, Returned
from services.customers.offers import announcing, sales
from services.customers.offers.reaction import Book, releases, uses
from services.customers.offers.store import outcomes, records
from services.customers.offers.store import releases as early
from services.customers.offers.store import sales as sales_store
from services.customers.offers.store.outcomes import Purchase
from shared.database import Connection


async def apply(connection: Connection, facts: Sequence[Message], now: datetime) -> None:
    """Apply facts in their order; what customers who were erased did before must not be among them."""
    sold_in = {fact.sold_in for fact in facts if isinstance(fact, Returned) and fact.sold_in}
    await sales_store.add(connection, sales.fold(facts, await stores.zones(connection, sold_in)))
    await _react(connection, facts, now)
    await outcomes.add(connection, [one for fact in facts for one in _purchases(fact)])


async def _react(connection: Connection, facts: Sequence[Message], now: datetime) -> None:
    answers = {fact.request_id for fact in facts if isinstance(fact, CodeIssued)}
    receipts = {fact.receipt_id: fact for fact in facts if isinstance(fact, Receipt) and uses(fact)}
    returns = [fact for fact in facts if isinstance(fact, Returned) and releases(fact)]
    if not (answers or receipts or returns):
        return
    used = {(one.customer_id or "", e) for one in receipts.values() for e in uses(one)}
    # Also the offers that a return would have been of, had its receipt come before it.
    used |= {(one.customer_id or "", e) for one in returns for e in releases(one)}
    returned = {(one.customer_id or "", one.receipt_id) for one in returns}
    found = await records.concerned(connection, answers, used, returned)
    if not found:
        return
    book = Book(found, await early.among(connection, receipts))
    book.apply(facts, now)
    await early.keep(connection, book.now_released, now)
    await records.save(connection, book.changes)
    await outcomes.mark_used(
        connection,
        [
            (after.policy_id, after.customer_id, after.step, after.status == "used")
            for before, after in book.changes
            if after.measured and "used" in (after.status, before.status if before else "")
        ],
    )
    await announcing.tell(connection, book.changes, now)


def _purchases(fact: Message) -> list[Purchase]:
    """A purchase, or what came back of one: a return that comes before its receipt counts the same."""
    match fact:
        case Receipt(customer_id=str() as customer_id):
            return [Purchase(customer_id, fact.occurred_at, fact.currency, 1, fact.paid)]
        case Returned(customer_id=str() as customer_id):
            back = -1 if fact.complete else 0
            return [Purchase(customer_id, fact.sold_at, fact.currency, back, -fact.refund)]
        case _:
            return []
