"""What a number of runs comes to: for people, and for machines. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from tests.faults.recovery import Recovery
from tests.faults.run import Outcome, percentile


def line(outcome: Outcome) -> str:
    """One run in one line."""
    recoveries = ", ".join(
        f"{r.kind} {r.away:.1f}+{r.first:.2f}/{r.every:.2f}/{r.http:.2f} s"
        for r in outcome.recoveries
    )
    return (
        f"seed {outcome.schedule.seed}: {'ok' if outcome.passed else 'FAILED'}"
        f" in {outcome.seconds:.0f} s; {outcome.events} events, {outcome.redemptions} redemptions,"
        f" {outcome.dead_letters} dead letters (explained); away + first/every commit/HTTP: {recoveries}"
    )


def by_kind(outcomes: Sequence[Outcome]) -> Mapping[str, Sequence[Recovery]]:
    """The recoveries of each kind of fault; ``all`` of them last."""
    recoveries = [recovery for outcome in outcomes for recovery in outcome.recoveries]
    kinds = sorted({recovery.kind for recovery in recoveries})
    found = {kind: [r for r in recoveries if r.kind == kind] for kind in kinds}
    return {**found, "all": recoveries} if recoveries else {}


def table(outcomes: Sequence[Outcome]) -> Table:
    """Seconds by kind of fault."""
    shown = Table(
        box=SIMPLE_HEAD,
        padding=0,
        title="From ready again to the first commit, to one on every partition, and to answers over HTTP (s)",
    )
    shown.add_column("fault", no_wrap=True)
    shown.add_column("count", justify="right")
    for prefix in ("", "every ", "http "):
        for column in ("p50", "p95", "max"):
            shown.add_column(f"{prefix}{column}", justify="right")
    for kind, figures in _figures(outcomes).items():
        shown.add_row(kind, *(str(value) for value in figures.values()))
    return shown


def _figures(outcomes: Sequence[Outcome]) -> dict[str, dict[str, float]]:
    return {kind: _of(recoveries) for kind, recoveries in by_kind(outcomes).items()}


def _of(recoveries: Sequence[Recovery]) -> dict[str, float]:
    figures: dict[str, float] = {"count": len(recoveries)}
    for name, values in (
        ("first", [r.first for r in recoveries]),
        ("every", [r.every for r in recoveries]),
        ("http", [r.http for r in recoveries]),
    ):
        for percent in (50, 95, 100):
            figures[f"{name}_p{percent}_s"] = round(percentile(values, percent), 2)
    return figures


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The outcome for machines."""
    wire: Counter[str] = Counter()
    for outcome in outcomes:
        wire.update(outcome.book.counts)
    return {
        "runs": len(outcomes),
        "failed_seeds": [o.schedule.seed for o in outcomes if not o.passed],
        "seeds": [o.schedule.seed for o in outcomes],
        "events": sum(o.events for o in outcomes),
        "messages": sum(o.messages for o in outcomes),
        "redemptions": sum(o.redemptions for o in outcomes),
        "dead_letters": sum(o.dead_letters for o in outcomes),
        "on_the_wire": dict(sorted(wire.items())),
        "faults": dict(
            sorted(Counter(f.kind for o in outcomes for f in o.schedule.faults).items())
        ),
        "recovery": _figures(outcomes),
        "seconds": round(sum(o.seconds for o in outcomes)),
    }
