"""Answers to what marketers ask beside the live figures, each read within one transaction."""

from collections import defaultdict
from datetime import date
from typing import Any

from services.analytics import names
from services.analytics.days import Days, days_of
from services.analytics.insight import effectiveness, figures, queries
from services.analytics.insight.customers import Union
from services.analytics.insight.effectiveness import Candidate, Move
from services.analytics.insight.folding import ALL_RECEIPTS
from services.analytics.insight.queries import Compared, Known
from services.analytics.queries import SALES, USES
from services.analytics.reading import Reading

MOST_CAMPAIGNS = 1_000
_CAMPAIGN = ("campaign_id",)


def _days(read: Reading) -> Days:
    return days_of(read.window, read.question.zone)


def _head(read: Reading, days: Days) -> dict[str, Any]:
    return {**read.head, "first_day": days.first, "last_day": days.last}


async def answer_effectiveness(read: Reading) -> figures.EffectivenessAnswer:
    """What each campaign brought, and where to move budget."""
    days, selection, connection = _days(read), read.selection, read.connection
    found = await queries.campaigns(connection, selection, days)
    sums = await read.cube.sums(USES, days.window, _CAMPAIGN)
    uses = {campaign_id: row for (campaign_id,), row in sums.items()}
    receipts = (await read.cube.sums(SALES, days.window)).get((), {})
    known = await queries.known(connection, sorted(found.keys() | uses.keys()))
    rows, candidates = [], []
    compared = await _compared(read, known)
    for campaign_id in found.keys() | uses.keys():
        state = known.get(campaign_id)
        name, status = (state.name, state.status) if state else (campaign_id, "unknown")
        uplift, proven, each = compared.get(campaign_id, (None, None, None))
        row = figures.effectiveness_row(
            campaign_id,
            (name, status),
            uses.get(campaign_id, {}),
            found.get(campaign_id, {}),
            uplift,
        )
        rows.append(row)
        if status == "running":
            candidates.append(
                Candidate(
                    campaign_id,
                    name,
                    row.receipts,
                    row.net_discount,
                    row.revenue_per_discount,
                    each,
                    proven,
                )
            )
    rows.sort(key=lambda row: (-row.net_revenue, row.campaign_id))
    move = effectiveness.suggest(candidates)
    return figures.EffectivenessAnswer(
        **_head(read, days),
        average_receipt=figures.half_up(receipts.get("paid", 0), receipts.get("receipts", 0)),
        rows=tuple(rows[:MOST_CAMPAIGNS]),
        truncated=len(rows) > MOST_CAMPAIGNS,
        suggestion=figures.suggestion_of(move) if isinstance(move, Move) else None,
        no_suggestion=None if isinstance(move, Move) else move,
    )


async def _compared(
    read: Reading, known: dict[str, Known]
) -> dict[str, tuple[figures.UpliftFigures, Any, Any]]:
    """The comparison of each campaign that has a control group, all over its time and places."""
    since = {i: state.compared_since for i, state in known.items() if state.control_group}
    currency = read.selection.currency
    if not since or currency is None:
        return {}
    arms = await queries.arms(read.connection, list(since), currency)
    costs = await queries.discounts_since(read.connection, since, currency)
    return {
        campaign_id: figures.uplift_figures(
            known[campaign_id].control_group,
            begun,
            arms.get(campaign_id, Compared()),
            costs.get(campaign_id, 0),
        )
        for campaign_id, begun in since.items()
    }


async def answer_customers(read: Reading) -> figures.CustomersAnswer:
    """How many different customers bought; with campaigns, each, and on which day."""
    days, chosen = _days(read), read.question.selection
    sketches, marks = await queries.buyers(read.connection, chosen, days)
    by_campaign: dict[str, Union] = defaultdict(Union)
    by_day: dict[date, Union] = defaultdict(Union)
    everybody = chosen.campaign_id or ALL_RECEIPTS
    for campaign_id, day, sketch in sketches:
        by_campaign[campaign_id].add(sketch)
        if campaign_id == everybody:
            by_day[day].add(sketch)
    for campaign_id, day, customer in marks:
        by_campaign[campaign_id].add_one(customer)
        if campaign_id == everybody:
            by_day[day].add_one(customer)
    counted = {i: _customers(union) for i, union in by_campaign.items()}
    total = counted.get(everybody, figures.CustomersFigures())
    counted.pop(ALL_RECEIPTS, None)
    called = await names.campaign_names(read.connection, list(counted))
    rows = [
        figures.CampaignCustomers(campaign_id=i, campaign=called.get(i, i), customers=customers)
        for i, customers in counted.items()
    ]
    rows.sort(key=lambda row: (-row.customers.estimate, row.campaign_id))
    return figures.CustomersAnswer(
        **_head(read, days),
        customers=total,
        campaigns=tuple(rows),
        days=tuple(
            figures.DayCustomers(day=day, customers=_customers(union))
            for day, union in sorted(by_day.items())
        ),
    )


def _customers(union: Union) -> figures.CustomersFigures:
    return figures.CustomersFigures(**union.counted._asdict())


async def answer_categories(read: Reading, emission_id: str | None) -> figures.CategoriesAnswer:
    """Which product groups were bought with what, and at which margin."""
    days, limit = _days(read), read.question.limit
    found = await queries.baskets(read.connection, read.selection, days, emission_id, limit + 1)
    ids = sorted({row["campaign_id"] for row in found})
    campaigns = await names.campaign_names(read.connection, ids)
    instruments = await names.instrument_names(read.connection, ids)
    return figures.CategoriesAnswer(
        **_head(read, days),
        rows=tuple(
            figures.category_row(
                row,
                campaigns.get(row["campaign_id"], row["campaign_id"]),
                instruments.get((row["campaign_id"], row["instrument_id"]), row["instrument_id"]),
            )
            for row in found[:limit]
        ),
        truncated=len(found) > limit,
    )
