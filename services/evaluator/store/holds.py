"""What receipts hold, unlocked: good for advice only."""

from collections.abc import Collection

from services.evaluator.counters import Taken
from services.evaluator.redemption import Redemption
from shared.database import Connection


async def held_by(
    connection: Connection, receipt_ids: Collection[str]
) -> dict[str, list[Redemption]]:
    """The redemptions that each of the receipts holds, those that hold any; as far as limits go."""
    found: dict[str, list[Redemption]] = {}
    for row in await connection.fetch(
        "select redemption_id, receipt_id, campaign_id, instrument_id, discount, bonuses,"
        " limit_ids, limit_amounts, since, expires_at"
        " from redemptions where receipt_id = any($1) and status = 'held'",
        list(receipt_ids),
    ):
        redemption = Redemption(
            redemption_id=row["redemption_id"],
            campaign_id=row["campaign_id"],
            instrument_id=row["instrument_id"],
            status="held",
            discount=row["discount"],
            bonuses=row["bonuses"],
            taken=tuple(map(Taken, row["limit_ids"], row["limit_amounts"])),
            since=row["since"],
            expires_at=row["expires_at"],
        )
        found.setdefault(row["receipt_id"], []).append(redemption)
    return found
