"""The proof for a terminal."""

from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from deploy.verification.figures import COLUMNS
from deploy.verification.proof import Proof
from deploy.verification.snapshot import Certificate
from services.evaluator import certificate
from services.evaluator.certificate import STATES, Standing

_MOST_LIMITS = 40
_MOST_INSTRUMENTS = 20


def tables(proof: Proof) -> Iterator[Table]:
    """The certificate that was asked for, or the limits; then the sums."""
    if proof.ledger.certificate is not None:
        yield _slots(proof.ledger.certificate)
    else:
        yield _limits(proof)
    yield _sums(proof)
    yield _decisions(proof)


def _table(title: str, *columns: str, caption: str | None = None) -> Table:
    table = Table(
        title=title, caption=caption, box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False
    )
    table.add_column(columns[0], overflow="fold", min_width=16)
    for column in columns[1:]:
        table.add_column(column, justify="right")
    return table


def _limits(proof: Proof) -> Table:
    standings = proof.ledger.standings
    rest = proof.ledger.limits - min(len(standings), _MOST_LIMITS)
    caption = f"and {rest} more; --json lists 1,000, --limit shows one" if rest else None
    table = _table(
        f"{proof.ledger.limits} limits: free + held + leased + used = cap",
        "limit",
        *("free", *STATES, "cap", "same"),
        caption=caption,
    )
    for standing in standings[:_MOST_LIMITS]:
        table.add_row(
            standing.limit_id, *_figures(standing), _mark(certificate.differences(standing))
        )
    return table


def _figures(standing: Standing) -> Sequence[str]:
    now = standing.now
    cells = (standing.free, now.held, now.leased, now.used, standing.cap)
    return ["" if n is None else f"{n:,}" for n in cells]


def _mark(different: Sequence[str]) -> str:
    return "[bold red]NO[/]" if different else "[green]yes[/]"


def _slots(asked: Certificate) -> Table:
    standing = asked.standing
    figures = zip(("free", *STATES, "cap"), _figures(standing), strict=True)
    table = Table(
        "no.",
        "state",
        "takes",
        "receipt",
        "redemption",
        "history (UTC)",
        title=f"{standing.limit_id}: " + ", ".join(f"{name} {n}" for name, n in figures),
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for slot in asked.slots:
        history = [f"{c.status} {c.at:%Y-%m-%d %H:%M:%S}" for c in slot.history]
        history += [f"[bold red]{words}[/]" for words in slot.differences]
        table.add_row(
            f"{slot.number:,}",
            slot.state,
            f"{slot.amount:,}",
            slot.receipt_id or "(end of a period)",
            slot.use_id,
            "\n".join(history),
        )
    for one in asked.leased:
        lease = one.lease
        until = f"by {lease.store_id} until {lease.expires_at:%Y-%m-%d %H:%M:%S}"
        numbers = _range(one.first, one.last)
        table.add_row(numbers, "leased", f"{lease.left:,}", "", lease.lease_id, until)
    free = certificate.free_slots(standing)
    if free is not None:
        table.add_row(_range(*free), "free", "", "", "", "")
    return table


def _range(first: int | None, last: int | None) -> str:
    return "–".join(f"{n:,}" for n in dict.fromkeys((first, last)) if n is not None)


def _sums(proof: Proof) -> Table:
    names = [name for name in COLUMNS if name in proof.sources]
    table = _table("The sums, each from its own source", "", *names, "same")
    lines = [("", proof.receipts)]
    disagreeing = [k for k, rows in proof.rows.items() if not all(r.reconciles for r in rows)]
    agreeing = [k for k in proof.rows if k not in set(disagreeing)]
    shown = [*disagreeing, *agreeing][:_MOST_INSTRUMENTS]
    lines += [("/".join(key), row) for key in shown for row in proof.rows[key]]
    heading = ""
    for name, row in lines:
        if name != heading:
            table.add_section()
            table.add_row(f"[bold]{name}[/]")
            heading = name
        cells = [f"{row.cells[n]:,}" if n in row.cells else "" for n in names]
        table.add_row(row.what, *cells, _mark([] if row.reconciles else [row.what]))
    if len(proof.rows) > len(shown):
        table.caption = f"and {len(proof.rows) - len(shown)} more instruments, which agree"
    return table


def _decisions(proof: Proof) -> Table:
    columns = ("granted", "= committed", "+ without right", "+ not given", "− card shown later")
    table = _table("What paid decisions granted, and what became of it", "", *columns, "same")
    decided = sorted(proof.ledger.decided.items(), key=lambda item: (not item[1].unexplained, item))
    for (campaign_id, instrument_id), one in decided[:_MOST_INSTRUMENTS]:
        counts = (one.granted, one.committed, one.unauthorised, one.not_given, one.earned_late)
        name = f"{campaign_id}/{instrument_id}"
        table.add_row(name, *(f"{n:,}" for n in counts), _mark(one.unexplained))
        money = (
            one.granted_discount,
            one.committed_discount - one.mismatch,
            one.unauthorised_discount,
            one.not_given_discount,
        )
        note = f"  discount (mismatch {one.mismatch:,})" if one.mismatch else "  discount"
        table.add_row(note, *(f"{n:,}" for n in money), "", "")
    return table
