"""The reconciliation table: the same figure from every source that has one of its own. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from deploy.comparison import Row, differences
from deploy.demo.books import Ledger, Statistics
from deploy.demo.till import Tally
from deploy.demo.topics import Key, Logged

COLUMNS = ("expected", "sent", "received", "kafka", "evaluator", "rollups", "dashboard")
_OWN = ("welcome", "everyday")


@dataclass(frozen=True)
class Sources:
    """Everything that is compared.

    ``cap`` is what was authored, ``campaigns`` how many emission says are running.
    """

    tally: Tally
    logged: Logged
    ledger: Ledger
    rollups: Statistics
    dashboard: Statistics
    cap: int
    campaigns: int
    welcome: Key


def table_rows(sources: Sources) -> list[Row]:
    """Every figure, receipts and money first, then instrument by instrument, then the cap."""
    return [
        *_receipts(sources),
        *_returns(sources),
        *_instruments(sources),
        *_cap(sources),
        *_nothing(sources),
    ]


def _row(what: str, **cells: int) -> Row:
    return Row(what, cells)


def _receipts(of: Sources) -> list[Row]:
    tally, logged, ledger, rollups, dashboard = (
        of.tally,
        of.logged,
        of.ledger,
        of.rollups,
        of.dashboard,
    )
    return [
        _row(
            "Campaigns running",
            expected=of.campaigns,
            kafka=logged.campaigns,
            evaluator=ledger.campaigns,
            rollups=rollups.campaigns,
            dashboard=dashboard.campaigns,
        ),
        _row("Carts sent = carts logged", sent=tally.carts, kafka=logged.carts),
        _row(
            "Carts sent = decisions received",
            sent=tally.carts,
            received=tally.decisions,
            kafka=logged.decisions,
            evaluator=ledger.decided,
        ),
        _row(
            "Sales and returns sent = logged",
            sent=tally.sales + tally.returns,
            kafka=logged.sales,
        ),
        _row(
            "Sales sent = receipts recorded",
            sent=tally.sales,
            kafka=logged.receipts,
            evaluator=ledger.receipts,
            rollups=rollups.receipts,
            dashboard=dashboard.receipts,
        ),
        _row(
            "Paid (cents)",
            sent=tally.paid,
            kafka=logged.paid,
            rollups=rollups.paid,
            dashboard=dashboard.paid,
        ),
        _row(
            "Line discounts = discount in decisions (cents)",
            sent=tally.discount,
            received=tally.decided_discount,
            kafka=logged.decided_discount,
        ),
        _row(
            "Line discounts = discount recorded (cents)",
            sent=tally.discount,
            kafka=logged.discount,
            evaluator=ledger.discount,
            rollups=rollups.discount,
            dashboard=dashboard.discount,
        ),
        _row(
            "Bonus points",
            received=tally.bonuses,
            kafka=logged.bonuses,
            evaluator=ledger.bonuses,
            rollups=rollups.bonuses,
            dashboard=dashboard.bonuses,
        ),
    ]


def _returns(of: Sources) -> list[Row]:
    tally, others = of.tally, (of.logged, of.ledger, of.rollups, of.dashboard)
    names = ("kafka", "evaluator", "rollups", "dashboard")

    def of_each(figure: str) -> dict[str, int]:
        return {name: getattr(one, figure) for name, one in zip(names, others, strict=True)}

    return [
        _row("Returns sent = returns recorded", sent=tally.returns, **of_each("returns")),
        _row("Refunded (cents)", sent=tally.refunded, **of_each("refunded")),
        _row(
            "Discount taken back (cents)",
            sent=tally.discount_back,
            **of_each("discount_back"),
        ),
        _row("Bonus points taken back", **of_each("bonuses_back")),
    ]


def _instruments(of: Sources) -> list[Row]:
    """Three rows an instrument; the many coupons of a campaign are summed where all agree."""
    activations = [
        of.tally.given,
        of.logged.activations,
        of.ledger.activations,
        of.rollups.activations,
        of.dashboard.activations,
    ]
    discounts = [
        of.tally.given_discount,
        of.logged.discounts,
        of.ledger.discounts,
        of.rollups.discounts,
        of.dashboard.discounts,
    ]
    returned = [
        of.tally.lost,
        of.logged.returned,
        of.ledger.returned,
        of.rollups.returned,
        of.dashboard.returned,
    ]
    return [
        *_by_instrument("activations", activations),
        *_by_instrument("discount (cents)", discounts),
        *_by_instrument("returned", returned),
    ]


def _by_instrument(what: str, sources: Sequence[Counter[Key]]) -> list[Row]:
    names = ("sent", "kafka", "evaluator", "rollups", "dashboard")
    keys = sorted({key for source in sources for key in source})
    each = [
        (
            key,
            Row(
                f"{key[1]}: {what}",
                {name: source[key] for name, source in zip(names, sources, strict=True)},
            ),
        )
        for key in keys
    ]
    rows = [row for key, row in each if key[0] in _OWN or not row.reconciles]
    for campaign in sorted({key[0] for key in keys} - set(_OWN)):
        mine = [row for key, row in each if key[0] == campaign]
        agreeing = [row for row in mine if row.reconciles]
        if agreeing:
            cells = {name: sum(row.cells[name] for row in agreeing) for name in names}
            rows.append(Row(f"{campaign}, coupons ({len(agreeing)}): {what}", cells))
    return rows


def _cap(of: Sources) -> list[Row]:
    ledger = of.ledger
    free = ledger.cap - ledger.cap_used - ledger.cap_held
    return [
        _row(
            f"WELCOME: the first {of.cap} of {of.tally.qualifying} that qualify",
            expected=min(of.cap, of.tally.qualifying),
            kafka=of.logged.activations[of.welcome],
            evaluator=ledger.cap_used + ledger.returned[of.welcome],
            rollups=of.rollups.activations[of.welcome],
            dashboard=of.dashboard.activations[of.welcome],
        ),
        _row(
            "WELCOME: activations − returned = used",
            sent=of.tally.given[of.welcome] - of.tally.lost[of.welcome],
            kafka=of.logged.standing[of.welcome],
            evaluator=ledger.cap_used,
            rollups=of.rollups.standing[of.welcome],
            dashboard=of.dashboard.standing[of.welcome],
        ),
        _row(
            "WELCOME: used + held + free = cap",
            expected=of.cap,
            evaluator=ledger.slots + ledger.held_slots + free,
        ),
    ]


def _nothing(of: Sources) -> list[Row]:
    return [
        _row(
            "Given without right",
            expected=0,
            kafka=of.logged.unauthorised,
            evaluator=of.ledger.unauthorised,
            rollups=of.rollups.unauthorised,
            dashboard=of.dashboard.unauthorised,
        ),
        _row("Slots still held", expected=0, evaluator=of.ledger.held),
        _row("Dead letters", expected=0, kafka=of.logged.dead_letters),
    ]


def as_table(rows: Iterable[Row]) -> Table:
    """The rows for a terminal; a row that does not reconcile is marked.

    ``sent`` and ``received`` are the tills' own counts.
    """
    table = Table(
        title="Reconciliation: every cell from its own source",
        caption="sent, received: as the tills counted; expected: as authored",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    table.add_column("", min_width=16, overflow="fold")
    for column in COLUMNS:
        table.add_column(column, justify="right", min_width=min(9, len(column)))
    table.add_column("same", no_wrap=True)
    for row in rows:
        cells = [f"{row.cells[name]:,}" if name in row.cells else "" for name in COLUMNS]
        mark = "[green]yes[/]" if row.reconciles else "[bold red]NO[/]"
        table.add_row(row.what, *cells, mark)
    return table


def summary(rows: Sequence[Row], elapsed_s: float, baskets: int) -> dict[str, Any]:
    """The outcome for machines."""
    return {
        "reconciled": not differences(rows),
        "baskets": baskets,
        "elapsed_s": round(elapsed_s, 1),
        "baskets_per_s": round(baskets / elapsed_s) if elapsed_s else 0,
        "figures": [{"what": row.what, "cells": dict(row.cells)} for row in rows],
        "different": [row.what for row in differences(rows)],
    }
