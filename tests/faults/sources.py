"""What the product has of a run, each from its own source: ledger, topics, statistics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from deploy.local.stack import Stack
from deploy.log import Offsets
from tests.faults import log
from tests.faults.log import Entry
from tests.faults.offers import Offers

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Found:
    """Rows of the evaluator's and of analytics' tables, and the messages of the run's time.

    ``numbers``: the relays' last number before the run and after it.
    """

    receipts: Sequence[Row]
    redemptions: Sequence[Row]
    limits: Sequence[Row]
    leases: Sequence[Row]
    bonuses: Sequence[Row]
    returned: Sequence[Row]
    entries: Sequence[Entry]
    sums: Sequence[Row]
    instruments: Sequence[Row]
    return_sums: Sequence[Row]
    take_backs: Sequence[Row]
    numbers: tuple[int, int]

    def of(self, topic: str) -> list[Entry]:
        """The messages of a topic, each once."""
        return log.unseen([entry for entry in self.entries if entry.topic == topic])


_LEDGER = {
    "receipts": "select receipt_id, status, revision from receipts where store_id = any($1)",
    "redemptions": """
        select m.* from redemptions m join receipts r using (receipt_id)
        where r.store_id = any($1)""",
    "limits": "select limit_id, cap, held, leased, used from limits where limit_id like $2 or limit_id in"
    " (select unnest(m.limit_ids) from redemptions m join receipts r using (receipt_id)"
    " where r.store_id = any($1))",
    "leases": "select lease_id, amount, used, status from leases where campaign_id = $1",
    "bonuses": """
        select b.entry_id, b.account, b.points, b.redemption_id from bonus_entries b where
        b.entry_id in (select entry_id from bonus_entries
            where account = $1 or account = any($2))""",
    "returned": """
        select l.receipt_id, l.line, l.quantity, l.refund from returned_lines l
        join receipts r using (receipt_id) where r.store_id = any($1)""",
}
_STATISTICS = {
    "sums": """
        select store_id, sum(receipts)::bigint as receipts, sum(total)::bigint as total,
            sum(discount)::bigint as discount, sum(paid)::bigint as paid,
            sum(bonuses)::bigint as bonuses
        from receipt_minutes where store_id = any($1) group by store_id""",
    "instruments": """
        select instrument_id, sum(decided)::bigint as decided,
            sum(activations)::bigint as activations, sum(discount)::bigint as discount,
            sum(bonuses)::bigint as bonuses, sum(unauthorised)::bigint as unauthorised,
            sum(unauthorised_discount)::bigint as unauthorised_discount
        from instrument_minutes where campaign_id = $1 group by instrument_id""",
    "return_sums": """
        select store_id, sum(returns)::bigint as returns, sum(refunded)::bigint as refunded
        from return_minutes where store_id = any($1) group by store_id""",
    "take_backs": """
        select instrument_id, sum(returned)::bigint as returned,
            sum(returned_discount)::bigint as returned_discount,
            sum(returned_bonuses)::bigint as returned_bonuses,
            sum(returned_unauthorised_discount)::bigint as returned_unauthorised_discount
        from take_back_minutes where campaign_id = $1 group by instrument_id""",
}


async def last_number(stack: Stack) -> int:
    """The number of the last message that the evaluators' relays have sent."""
    connection = await asyncpg.connect(stack.database("evaluator"))
    try:
        return int(await connection.fetchval("select last_number from outbox_producer"))
    finally:
        await connection.close()


async def read(stack: Stack, offers: Offers, since: Offsets, first: int) -> Found:
    """All of a run; ``since`` and ``first`` are where the topics and the numbers stood before it."""
    stores = [*offers.stores, offers.probes]
    evaluator = await asyncpg.connect(stack.database("evaluator"))
    parameters = {
        "receipts": (stores,),
        "redemptions": (stores,),
        "limits": (stores, f"{offers.campaign_id}/%"),
        "leases": (offers.campaign_id,),
        "bonuses": (
            f"campaign/{offers.campaign_id}",
            [f"customer/{customer}" for customer in offers.customers],
        ),
        "returned": (stores,),
    }
    try:
        ledger: dict[str, Any] = {
            name: await evaluator.fetch(query, *parameters[name]) for name, query in _LEDGER.items()
        }
    finally:
        await evaluator.close()
    analytics = await asyncpg.connect(stack.database("analytics"))
    try:
        statistics: dict[str, Any] = {
            name: await analytics.fetch(
                query, stores if "store_id" in query else offers.campaign_id
            )
            for name, query in _STATISTICS.items()
        }
    finally:
        await analytics.close()
    return Found(
        **ledger,
        entries=await log.entries(stack.kafka, since),
        **statistics,
        numbers=(first, await last_number(stack)),
    )
