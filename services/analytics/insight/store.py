"""What marketers learn, written: the sums of ``insight``, added within the rollup's transaction.

Each statement goes in the order of its key, so that two writers never wait for each other in a ring.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import add, attrgetter

from msgspec.json import encode

from services.analytics.cells import Place, widened
from services.analytics.insight.caps import caps_of
from services.analytics.insight.customers import pack
from services.analytics.insight.folding import CampaignSums, Insight
from services.analytics.messages import Campaign
from services.analytics.store import Dimension, Numbering
from shared.database import Connection

COMPARISONS = Dimension("comparisons", "comparison_id", ("campaign_id", "currency"))
CAMPAIGN_NUMBERS = Dimension("campaign_numbers", "campaign_number", ("campaign_id",))

_CAMPAIGN_DAYS = """
insert into campaign_days as c
    (day, campaign_id, place_id, receipts, units, discount, revenue, returned_discount, refunded)
select date '1970-01-01' + day, campaign_id, place_id, receipts, units, discount, revenue,
    returned_discount, refunded
from unnest($1::int[], $2::text[], $3::int[], $4::int[], $5::bigint[], $6::bigint[], $7::bigint[],
            $8::bigint[], $9::bigint[])
    as x (day, campaign_id, place_id, receipts, units, discount, revenue, returned_discount, refunded)
order by place_id, x.day, campaign_id
on conflict (place_id, day, campaign_id) do update set
    receipts = c.receipts + excluded.receipts,
    units = c.units + excluded.units,
    discount = c.discount + excluded.discount,
    revenue = c.revenue + excluded.revenue,
    returned_discount = c.returned_discount + excluded.returned_discount,
    refunded = c.refunded + excluded.refunded
"""
# What an arm is more by is what its customers have now less what they had: its sums follow them exactly.
_PARTICIPANTS = """
with paid as materialized (
    select * from unnest($1::int[], $2::boolean[], $3::bigint[], $4::int[], $5::bigint[])
        as x (comparison_id, held_back, customer, receipts, revenue)
), kept as (
    insert into participants as p (comparison_id, held_back, customer, receipts, revenue)
    select * from paid order by comparison_id, held_back, customer
    on conflict (comparison_id, held_back, customer) do update set
        receipts = p.receipts + excluded.receipts,
        revenue = p.revenue + excluded.revenue
    returning *
)
insert into arms as a (comparison_id, held_back, customers, receipts, revenue, squares)
select comparison_id, held_back, count(*) filter (where kept.receipts = paid.receipts),
    sum(paid.receipts), sum(paid.revenue),
    sum(kept.revenue::numeric * kept.revenue
        - (kept.revenue - paid.revenue)::numeric * (kept.revenue - paid.revenue))
from kept join paid using (comparison_id, held_back, customer)
group by 1, 2 order by 1, 2
on conflict (comparison_id, held_back) do update set
    customers = a.customers + excluded.customers,
    receipts = a.receipts + excluded.receipts,
    revenue = a.revenue + excluded.revenue,
    squares = a.squares + excluded.squares
"""
_REFUNDS = """
insert into customer_refunds as r (customer, currency, sold_at, refunded)
select customer, currency, 'epoch'::timestamptz + minute * interval '1 minute', refunded
from unnest($1::bigint[], $2::text[], $3::int[], $4::bigint[])
    as x (customer, currency, minute, refunded)
order by customer, currency, minute
on conflict (customer, currency, sold_at) do update set refunded = r.refunded + excluded.refunded
"""
# Where the share of a control group changes, customers change arms: what they paid before says nothing
# about the new arms.
_TERMS = """
insert into campaign_terms as t (campaign_id, version, control_group, terms) values ($1, $2, $3, $4)
on conflict (campaign_id) do update set
    version = excluded.version, control_group = excluded.control_group, terms = excluded.terms,
    compared_since = case when t.control_group = excluded.control_group then t.compared_since
        else now() end
where t.version <= excluded.version
returning compared_since = now()
"""
_BEGIN_ANEW = """
with begun as (
    select comparison_id from comparisons where campaign_id = $1
), gone as (
    delete from arms using begun where arms.comparison_id = begun.comparison_id
)
delete from participants using begun where participants.comparison_id = begun.comparison_id
"""
_MARKS = "insert into customer_marks (marks) values ($1)"
_BASKETS = """
insert into basket_days as b (day, campaign_id, instrument_id, emission_id, currency, "group",
    lines, quantity, amount, discount, covered, cost)
select date '1970-01-01' + day, campaign_id, instrument_id, emission_id, x.currency,
    coalesce(nullif(x."group", ''), p."group", ''), sum(lines), sum(quantity), sum(amount),
    sum(discount), coalesce(sum(amount - discount) filter (where p.currency = x.currency), 0),
    coalesce(sum(div(quantity::numeric * p.cost + 500, 1000)) filter (where p.currency = x.currency), 0)
from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
            $8::int[], $9::bigint[], $10::bigint[], $11::bigint[])
    as x (day, campaign_id, instrument_id, emission_id, currency, "group", sku,
          lines, quantity, amount, discount)
left join products p using (sku)
group by 1, 2, 3, 4, 5, 6
order by 1, 5, 2, 3, 4, 6
on conflict (day, currency, campaign_id, instrument_id, emission_id, "group") do update set
    lines = b.lines + excluded.lines,
    quantity = b.quantity + excluded.quantity,
    amount = b.amount + excluded.amount,
    discount = b.discount + excluded.discount,
    covered = b.covered + excluded.covered,
    cost = b.cost + excluded.cost
"""
_PRODUCTS = """
insert into products (sku, "group", cost, currency)
select * from unnest($1::text[], $2::text[], $3::bigint[], $4::text[])
    as x (sku, "group", cost, currency)
order by sku
on conflict (sku) do update set
    "group" = excluded."group", cost = excluded.cost, currency = excluded.currency
"""
_LINE_SUMS = attrgetter("lines", "quantity", "amount", "discount")
_PRODUCT = attrgetter("sku", "group", "cost", "currency")
_SUMS = attrgetter("receipts", "units", "discount", "revenue", "returned_discount", "refunded")


_Cell = tuple[int, Place, str]


@dataclass
class InsightStore:
    """Adds insights to the tables. Remembers the numbers of ``places``, of comparisons and campaigns."""

    places: Numbering
    comparisons: Numbering = field(default_factory=lambda: Numbering(COMPARISONS))
    numbers: Numbering = field(default_factory=lambda: Numbering(CAMPAIGN_NUMBERS))

    async def add(self, connection: Connection, insight: Insight) -> None:
        """Add the sums, once per call."""
        if insight.campaign_days:
            await self._add_campaign_days(connection, insight)
        if insight.participants:
            await self._add_participants(connection, insight)
        if insight.refunds:
            await connection.execute(
                _REFUNDS, *zip(*insight.refunds, strict=True), list(insight.refunds.values())
            )
        # Products first: what is sold in the same batch may have a cost by them.
        if insight.products:
            products = map(_PRODUCT, insight.products.values())
            await connection.execute(_PRODUCTS, *zip(*products, strict=True))
        if insight.baskets:
            await _add_baskets(connection, insight)
        if insight.marks.days:
            await self._add_marks(connection, insight)
        await _save_terms(connection, insight.campaigns.values())

    async def _add_campaign_days(self, connection: Connection, insight: Insight) -> None:
        cells = _with_everywhere(insight.campaign_days)
        places = await self.places.of(connection, (place for _, place, _ in cells))
        await connection.execute(
            _CAMPAIGN_DAYS,
            [day for day, _, _ in cells],
            [campaign_id for _, _, campaign_id in cells],
            [places[place] for _, place, _ in cells],
            *zip(*map(_SUMS, cells.values()), strict=True),
        )

    async def _add_participants(self, connection: Connection, insight: Insight) -> None:
        paid = insight.participants
        numbers = await self.comparisons.of(connection, (key[:2] for key in paid))
        await connection.execute(
            _PARTICIPANTS,
            [numbers[key[:2]] for key in paid],
            [held_back for _, _, held_back, _ in paid],
            [customer for _, _, _, customer in paid],
            [one.receipts for one in paid.values()],
            [one.revenue for one in paid.values()],
        )

    async def _add_marks(self, connection: Connection, insight: Insight) -> None:
        marks = insight.marks
        places = await self.places.of(connection, marks.places)
        names = set(marks.campaigns)
        numbers = await self.numbers.of(connection, ((name,) for name in names))
        campaigns = {name: numbers[name,] for name in names}
        columns = (
            marks.days,
            [campaigns[name] for name in marks.campaigns],
            [places[place] for place in marks.places],
            marks.customers,
        )
        await connection.execute(_MARKS, pack(columns))


def _with_everywhere(cells: Mapping[_Cell, CampaignSums]) -> dict[_Cell, CampaignSums]:
    """The cells, and those of all places together."""
    found = dict(cells)
    for (day, place, campaign_id), sums in cells.items():
        cell = (day, widened(place)[-1], campaign_id)
        before = found.get(cell)
        added = _SUMS(sums) if before is None else map(add, _SUMS(before), _SUMS(sums))
        found[cell] = CampaignSums(*added)
    return found


async def _add_baskets(connection: Connection, insight: Insight) -> None:
    baskets = insight.baskets
    await connection.execute(
        _BASKETS,
        [day for day, _, _ in baskets],
        *zip(*(used for _, used, _ in baskets), strict=True),
        *zip(*(goods for _, _, goods in baskets), strict=True),
        *zip(*map(_LINE_SUMS, baskets.values()), strict=True),
    )


async def _save_terms(connection: Connection, campaigns: Iterable[Campaign]) -> None:
    for campaign in sorted(campaigns, key=attrgetter("campaign_id")):
        begins_anew = await connection.fetchval(
            _TERMS,
            campaign.campaign_id,
            campaign.version,
            campaign.control_group,
            encode(caps_of(campaign)),
        )
        if begins_anew:
            await connection.execute(_BEGIN_ANEW, campaign.campaign_id)
