"""What marketers learn, read from the tables that ``insight_store`` writes."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from services.analytics.days import Days
from services.analytics.dimensions import Selection
from services.analytics.effectiveness import Arm
from shared.database import Connection

_SELECTED = """
    day between $1 and $2
    and ($3::text is null or campaign_id = $3)
    and ($4::text is null or p.store_id = $4) and ($5::text is null or p.device = $5)
    and ($6::text is null or p.region = $6) and p.currency = $7
"""
_CAMPAIGNS = f"""
select campaign_id, sum(c.receipts)::bigint as receipts, sum(units)::bigint as units,
    sum(c.discount)::bigint as discount, sum(revenue)::bigint as revenue,
    sum(returned_discount)::bigint as returned_discount, sum(refunded)::bigint as refunded
from campaign_days c join places p using (place_id)
where {_SELECTED}
group by campaign_id
"""  # noqa: S608 - built from constants


async def campaigns(
    connection: Connection, selection: Selection, days: Days
) -> dict[str, dict[str, int]]:
    """The sums of each campaign's receipts, by its id; the selection names one currency."""
    rows = await connection.fetch(_CAMPAIGNS, *_arguments(selection, days))
    return {
        row["campaign_id"]: {k: v for k, v in row.items() if k != "campaign_id"} for row in rows
    }


def _arguments(selection: Selection, days: Days) -> tuple[date | str | None, ...]:
    return (
        *days.bounds,
        selection.campaign_id,
        selection.store_id,
        selection.device,
        selection.region,
        selection.currency,
    )


class Known(NamedTuple):
    """A campaign's state; ``control_group`` is in basis points."""

    name: str
    status: str
    control_group: int
    compared_since: datetime


async def known(
    connection: Connection, campaign_ids: Sequence[str] | None = None
) -> dict[str, Known]:
    """The campaigns as they were last heard of, by id; of these ids, or all."""
    rows = await connection.fetch(
        "select c.campaign_id, name, status, coalesce(control_group, 0) as control_group,"
        " greatest(starts_at, compared_since) as compared_since"
        " from campaigns c left join campaign_terms using (campaign_id)"
        " where $1::text[] is null or c.campaign_id = any($1)",
        campaign_ids,
    )
    return {
        row["campaign_id"]: Known(
            row["name"], row["status"], row["control_group"], row["compared_since"]
        )
        for row in rows
    }


_ARMS = """
with paid as (
    select c.campaign_id, p.held_back, p.receipts, p.revenue - coalesce((
        select sum(refunded) from customer_refunds r
        where r.customer = p.customer and r.currency = c.currency
            and r.sold_at >= greatest(k.starts_at, t.compared_since) and r.sold_at < k.ends_at
    ), 0) as revenue
    from participants p
    join comparisons c using (comparison_id)
    join campaigns k using (campaign_id)
    join campaign_terms t using (campaign_id)
    where c.campaign_id = any($1) and c.currency = $2 and t.control_group > 0
)
select campaign_id, held_back, count(*) as customers, sum(receipts)::bigint as receipts,
    sum(revenue)::bigint as revenue, sum(revenue * revenue)::numeric as squares
from paid group by campaign_id, held_back
"""


class Compared(NamedTuple):
    """The two arms of a campaign, all over its time and places."""

    treated: Arm = Arm()
    held_back: Arm = Arm()


async def arms(
    connection: Connection, campaign_ids: Sequence[str], currency: str
) -> dict[str, Compared]:
    """What the customers of both arms paid in the currency, by campaign; refunds of it taken off."""
    found: dict[str, Compared] = {}
    for campaign_id, held_back, *sums in await connection.fetch(_ARMS, campaign_ids, currency):
        arm = Arm(*(int(one) for one in sums))
        before = found.get(campaign_id, Compared())
        found[campaign_id] = (
            before._replace(held_back=arm) if held_back else before._replace(treated=arm)
        )
    return found


async def discounts_since(
    connection: Connection, since: dict[str, datetime], currency: str
) -> dict[str, int]:
    """What each campaign's discounts have cost since then, everywhere, less what returns took back."""
    rows = await connection.fetch(
        "select x.campaign_id, sum(discount - returned_discount)::bigint as net"
        " from unnest($1::text[], $2::timestamptz[]) as x (campaign_id, since)"
        " join campaign_days c using (campaign_id) join places p using (place_id)"
        " where c.day >= (x.since at time zone 'UTC')::date and p.currency = $3 group by 1",
        list(since),
        list(since.values()),
        currency,
    )
    return {row["campaign_id"]: row["net"] for row in rows}
