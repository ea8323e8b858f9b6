"""A backtest's report for people: what it comes to first, then where, when and why not."""

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from rich.bar import Bar
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.evaluator.backtest.report import CapFigures, Cell, Report

_BAR = 24
_MOST_ROWS = 15
_MOST_REASONS = 10
_CENTS = 100


def show(console: Console, report: Report, name: str, names: Mapping[str, str]) -> None:
    """Print it; ``names`` are the instruments' by id."""
    console.print(f"[bold]{escape(name)}[/], {_when(report)}")
    console.print(_summary(report))
    for table in (
        _instruments(report),
        _caps(report),
        _cells("by day", report.by_day),
        _cells("by store", _largest(report.by_store)),
        _cells("by device", report.by_device),
        _cells("by region", _largest(report.by_region)),
        _displaced(report),
        _refusals(report, names),
        _near_misses(report, names),
    ):
        if table.row_count:
            console.print(table)
    console.print("[bold]Left out[/]")
    for sentence in report.left_out:
        console.print(f"  · {escape(sentence)}", highlight=False)


def money(amount: int) -> str:
    """Minor units as people write them."""
    sign = "-" if amount < 0 else ""
    return f"{sign}{abs(amount) // _CENTS:,}.{abs(amount) % _CENTS:02}"


def percent(basis_points: int) -> str:
    """Basis points as a percentage."""
    sign = "-" if basis_points < 0 else ""
    return f"{sign}{abs(basis_points) // 100}.{abs(basis_points) % 100:02}%"


def _when(report: Report) -> str:
    zone = ZoneInfo(report.time_zone)
    start, end = (
        at.astimezone(zone).strftime("%d %b %Y %H:%M") for at in (report.start, report.end)
    )
    codes = ", every code assumed" if report.assume_codes else ""
    return f"{start} until {end} ({report.time_zone}){codes}"


def _table(title: str, *columns: str) -> Table:
    """The first column to the left, numbers to the right."""
    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim")
    for n, column in enumerate(columns):
        table.add_column(column, justify="right" if n else "left")
    return table


def _summary(report: Report) -> Table:
    shown = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    share = _share_of(report.granted, report.receipts)
    for what, figure in (
        ("receipts looked at", f"{report.receipts:,} ({report.paid:,} paid)"),
        ("would have got it", f"{report.granted:,} ({share}; {report.granted_paid:,} paid)"),
        ("known customers", f"{report.customers:,}"),
        ("discount", f"{money(report.discount)} {report.currency}"),
        ("bonuses", f"{report.bonuses:,}" if report.bonuses else ""),
        ("gifts", ", ".join(f"{g.sku} × {g.quantity // 1000:,}" for g in report.gifts)),
        ("of live campaigns", _signed(report.live_discount) if report.live_discount else ""),
        ("net cost", f"[bold]{money(report.net_cost)} {report.currency}[/]"),
        (
            "of revenue",
            (
                f"{percent(report.cost_share)} of {money(report.revenue)};"
                f" {percent(report.granted_cost_share)} of these receipts' {money(report.granted_revenue)}"
            ),
        ),
    ):
        if figure:
            shown.add_row(what, figure)
    return shown


def _instruments(report: Report) -> Table:
    table = _table("Instruments", "instrument", "receipts", "paid", "discount", "bonuses")
    for one in report.instruments:
        table.add_row(
            escape(one.name),
            f"{one.receipts:,}",
            f"{one.paid:,}",
            money(one.discount),
            f"{one.bonuses:,}",
        )
    return table


def _caps(report: Report) -> Table:
    table = _table("Caps", "limit", "cap", "used", "", "used up", "refused")
    zone = ZoneInfo(report.time_zone)
    for one in report.caps:
        whole = one.cap * max(one.counters, 1)
        table.add_row(
            escape(one.name),
            _amount(one, one.cap) + (f" × {one.counters:,}" if one.counters > 1 else ""),
            _amount(one, one.used),
            Bar(whole, 0, min(one.used, whole), width=_BAR),
            _used_up(one, zone),
            f"{one.refused:,}",
        )
    return table


def _used_up(one: CapFigures, zone: ZoneInfo) -> str:
    if one.full_at is None:
        return "no" if one.left is None else f"no, {_amount(one, one.left)} left"
    first = one.full_at.astimezone(zone).strftime("%d %b %H:%M")
    return first if one.counters == 1 else f"{one.full:,} of them, first {first}"


def _amount(one: CapFigures, amount: int) -> str:
    return money(amount) if one.money else f"{amount:,}"


def _cells(title: str, cells: Sequence[Cell]) -> Table:
    table = _table(
        title.capitalize(),
        title.removeprefix("by "),
        "receipts",
        "got it",
        "discount",
        "",
        "of revenue",
    )
    most = max([cell.discount for cell in cells], default=0)
    for cell in cells:
        table.add_row(
            escape(cell.key),
            f"{cell.receipts:,}",
            f"{cell.granted:,}",
            money(cell.discount),
            Bar(max(most, 1), 0, cell.discount, width=_BAR),
            _share_of(cell.discount, cell.revenue),
        )
    return table


def _largest(cells: Sequence[Cell]) -> Sequence[Cell]:
    """Those with the greatest discounts; the file has them all."""
    return sorted(cells, key=lambda cell: (-cell.discount, cell.key))[:_MOST_ROWS]


def _displaced(report: Report) -> Table:
    table = _table(
        "Live campaigns", "campaign / instrument", "lost", "gained", "discount", "bonuses"
    )
    ordered = sorted(report.displaced, key=lambda d: d.discount)
    for one in ordered[:_MOST_ROWS]:
        name = f"{one.campaign_id} / {one.instrument_id}"
        table.add_row(
            escape(name),
            f"{one.lost:,}",
            f"{one.gained:,}",
            _signed(one.discount),
            f"{one.bonuses:+,}",
        )
    return table


def _refusals(report: Report, names: Mapping[str, str]) -> Table:
    table = _table("Why not", "instrument", "reason", "of", "receipts", "")
    most = max([report.not_considered, *[one.receipts for one in report.refusals]])
    rows = [
        (
            names.get(one.instrument_id, one.instrument_id),
            one.reason,
            one.condition or "",
            one.receipts,
        )
        for one in report.refusals[:_MOST_REASONS]
    ]
    if report.not_considered:
        rows.append(
            ("all", "nothing on it, or about it, that they ask for", "", report.not_considered)
        )
    for name, reason, condition, receipts in rows:
        table.add_row(
            escape(name),
            escape(reason.replace("_", " ")),
            escape(condition),
            f"{receipts:,}",
            Bar(max(most, 1), 0, receipts, width=_BAR),
        )
    return table


def _near_misses(report: Report, names: Mapping[str, str]) -> Table:
    table = _table("Near misses", "instrument", "receipts", "half lacked no more than", "least")
    for one in report.near_misses[:_MOST_REASONS]:
        table.add_row(
            escape(names.get(one.instrument_id, one.instrument_id)),
            f"{one.receipts:,}",
            f"{_gap(one.median, one.unit)}",
            f"{_gap(one.least, one.unit)}",
        )
    return table


def _gap(missing: int, unit: str) -> str:
    if unit == "money":
        return money(missing)
    if unit == "quantity":
        return f"{missing // 1_000:,}.{missing % 1_000:03}"
    return f"{missing:,} {unit}"


def _signed(amount: int) -> str:
    return money(amount) if amount < 0 else f"+{money(amount)}"


def _share_of(part: int, whole: int) -> str:
    return percent(part * 10_000 // whole) if whole else "–"
