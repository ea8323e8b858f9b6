"""Profiles of a batch: loaded, folded, saved."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.customers import profile, store
from services.customers.messages import BonusEntry, CodeChunk, Message, Receipt, Returned
from services.customers.profile import Kept, State
from shared.database import Connection
from shared.events.reference import NOBODY


@dataclass
class Changes:
    """What a batch says of customers."""

    receipts: list[Receipt] = field(default_factory=list)
    returns: list[Returned] = field(default_factory=list)
    bonuses: list[BonusEntry] = field(default_factory=list)
    codes: Counter[tuple[str, str]] = field(default_factory=Counter)

    def active(self) -> set[str]:
        """Who did something, or had something done to their points."""
        named: Iterable[str | None] = (
            *(receipt.customer_id for receipt in self.receipts),
            *(returned.customer_id for returned in self.returns),
            *(entry.customer_id for entry in self.bonuses),
        )
        return {customer_id for customer_id in named if customer_id}

    def customers(self) -> set[str]:
        """Whose profiles change."""
        return self.active() | {customer_id for customer_id, _ in self.codes}


def sorted_out(facts: Sequence[Message]) -> Changes:
    """The facts by what they are; of returns only those of a known customer matter here."""
    changes = Changes()
    for fact in facts:
        match fact:
            case Receipt():
                changes.receipts.append(fact)
            case Returned(customer_id=str()):
                changes.returns.append(fact)
            case BonusEntry(customer_id=str() as whose) if (
                whose != NOBODY
            ):  # points of who was erased go back
                changes.bonuses.append(fact)
            case CodeChunk():
                held = [h for h in fact.holders if h and h != NOBODY]
                changes.codes.update((h, fact.emission_id) for h in held)
    return changes


async def apply(connection: Connection, facts: Sequence[Message], now: datetime) -> None:
    """Fold a batch into the profiles; who changed is looked at soon after."""
    changes = sorted_out(facts)
    kept = await _keep(connection, changes)
    await _find_what_was_returned(connection, changes, kept)
    if customers := changes.customers():
        states = await store.load(connection, customers)
        fold(states, changes, kept)
        # Codes may have been made for hundreds of thousands at once.
        await store.save(connection, states, now, in_background=customers - changes.active())


async def _keep(connection: Connection, changes: Changes) -> dict[str, Kept]:
    """Keep the receipts, and count no receipt twice; returns that waited for them are added."""
    receipts = {receipt.receipt_id: receipt for receipt in changes.receipts}
    if not receipts:
        return {}
    kept = {receipt_id: profile.kept(receipt) for receipt_id, receipt in receipts.items()}
    new = await store.keep_receipts(
        connection,
        [(i, r.customer_id, r.occurred_at, kept[i]) for i, r in receipts.items()],
    )
    changes.receipts = [receipt for i, receipt in receipts.items() if i in new]
    changes.returns += await store.take_parked(connection, new)
    return kept


async def _find_what_was_returned(
    connection: Connection, changes: Changes, kept: dict[str, Kept]
) -> None:
    """Complete ``kept`` with the receipts that returns are of; returns that come before theirs wait."""
    missing = {returned.receipt_id for returned in changes.returns} - kept.keys()
    if not missing:
        return
    kept |= await store.kept_receipts(connection, missing)
    early = [returned for returned in changes.returns if returned.receipt_id not in kept]
    if early:
        await store.park_returns(connection, early)
        changes.returns = [one for one in changes.returns if one.receipt_id in kept]


def fold(states: dict[str, State], changes: Changes, kept: dict[str, Kept]) -> None:
    """Add what a batch says to the states; ``kept`` has the receipts that its returns are of."""
    for receipt in changes.receipts:
        if receipt.customer_id:
            profile.add_receipt(states[receipt.customer_id], receipt)
    for returned in changes.returns:
        if returned.customer_id:
            state = states[returned.customer_id]
            profile.add_return(state, returned, kept[returned.receipt_id])
    for entry in changes.bonuses:
        profile.add_bonus(states[entry.customer_id], entry)
    for (customer_id, emission_id), count in changes.codes.items():
        profile.add_codes(states[customer_id], emission_id, count)
