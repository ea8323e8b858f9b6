"""What came back, what is refunded for it, and what remains of its sale. Pure.

Every check returns what differs: nothing, if all is well.
"""

from collections import Counter
from collections.abc import Iterator

from shared.events.checkout import Sale
from tests.faults.book import Page
from tests.faults.evidence import (
    Difference,
    Run,
    brought_back,
    refunds_of,
    rest_of,
    same,
    sums_of,
)
from tests.faults.offers import LEAST, SNACKS


def what_came_back_is_refunded_once(run: Run) -> Iterator[Difference]:
    """Each line's quantity and refund, as the tills' returns and sales make them, and the sum of each receipt.

    Where what remained was decided again, a line's refund is not known to a till: the sum is.
    """
    lines: dict[tuple[str, int], tuple[int, int | None]] = {}
    sums: dict[str, int] = {}
    times: dict[str, int] = {}
    again: set[str] = set()
    for page, sale in _returned(run):
        refunds = refunds_of(sale, page.brought_back)
        if page.is_decided_again:
            again.add(page.receipt_id)
        for line, quantity in brought_back(sale, page.brought_back).items():
            refund = None if page.is_decided_again else refunds[line]
            lines[page.receipt_id, line] = (quantity, refund)
        sums[page.receipt_id] = run.refund(page)
        times[page.receipt_id] = len(page.brought_back)
    found: dict[tuple[str, int], tuple[int, int | None]] = {}
    kept: Counter[str] = Counter()
    for row in run.found.returned:
        receipt_id = row["receipt_id"]
        refund = None if receipt_id in again else row["refund"]
        found[receipt_id, row["line"]] = (row["quantity"], refund)
        kept[receipt_id] += row["refund"]
    said: Counter[str] = Counter()
    for back in run.returns:
        said[back.receipt_id] += back.refund
    yield from same("returns", lines, found)
    yield from same("returns, sums", sums, kept)
    yield from same("returns, promo.returns.v1", sums, said)
    passed_on = Counter(back.receipt_id for back in run.returns)
    yield from same("returns, passed on", times, passed_on)


def refunds_are_within_what_was_paid(run: Run) -> Iterator[Difference]:
    """Refunded + kept ≤ paid, whatever was decided again: by what the tills know alone.

    All of a sale is refunded to the cent, in however many parts it came; a part with no more than its price.
    """
    refunds: Counter[str] = Counter()
    for row in run.found.returned:
        refunds[row["receipt_id"]] += row["refund"]
        if row["refund"] < 0:
            yield Difference("refunded ≤ paid", row["receipt_id"], "≥ 0", row["refund"])
    for page, sale in _returned(run):
        total, _, paid = sums_of(sale)
        rest = sum(rest_of(sale, page.brought_back).values())
        least, most = (0, min(paid, total - rest)) if rest else (paid, paid)
        refund = refunds[page.receipt_id]
        if not least <= refund <= most:
            yield Difference("refunded ≤ paid", page.receipt_id, f"{least} to {most}", refund)


def the_rest_keeps_what_it_earns(run: Run) -> Iterator[Difference]:
    """What remains, decided again, has what it earns by the conditions as authored, and has lost all else."""
    decided = {page.receipt_id: (page, sale) for page, sale in _returned(run)}
    for state in run.states.values():
        page, sale = decided.get(state.receipt_id, (None, None))
        if page is None or sale is None or not page.is_decided_again:
            continue
        name = run.name(state.instrument_id)
        rest = rest_of(sale, page.brought_back)
        snacks = {line.line for line in sale.lines if line.group == SNACKS}
        value = sum(n for line, n in rest.items() if name != "budget" or line in snacks)
        expected = "committed" if value >= LEAST[name] else "returned"
        if state.status in ("committed", "returned") and state.status != expected:
            what = f"{state.receipt_id}/{name}, {value} remain"
            yield Difference("what remains is decided again", what, expected, state.status)


def _returned(run: Run) -> Iterator[tuple[Page, Sale]]:
    """The sales of which something came back."""
    for page in run.book.pages.values():
        if page.paid and page.brought_back:
            yield page, page.paid
