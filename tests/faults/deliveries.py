"""What was sent, answered and passed on: nothing lost, nothing twice, nothing unexplained. Pure.

Every check returns what differs: nothing, if all is well.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from shared.events.outcome import Decision
from shared.topics import CARTS, DECISIONS, SALES
from tests.faults.book import Page
from tests.faults.evidence import Difference, Run, points_of, same, sums_of
from tests.faults.log import DEAD, OUTCOMES


def every_acknowledged_sale_is_there_once(run: Run) -> Iterator[Difference]:
    """In the ledger, and passed on once with the amounts that the till stated; and no others are."""
    check = "acknowledged sales"
    expected = {
        receipt_id: sums_of(sale)
        for receipt_id, sale in run.book.sales.items()
        if any(sent.acknowledged for sent in run.book.page(receipt_id).sales)
    }
    paid = {row["receipt_id"] for row in run.found.receipts if row["status"] == "paid"}
    yield from same(f"{check}, ledger", dict.fromkeys(expected, 1), dict.fromkeys(paid, 1))
    passed_on = {r.receipt_id: (r.total, r.discount, r.paid) for r in run.receipts}
    yield from same(f"{check}, promo.sales.v1", expected, passed_on)
    for receipt_id, count in Counter(r.receipt_id for r in run.receipts).items():
        if count > 1:
            yield Difference(f"{check}, passed on", receipt_id, 1, count)


def punctual_sales_have_their_slots(run: Run) -> Iterator[Difference]:
    """What was decided and paid before the hold's end is committed to the cent, with the points promised."""
    ledger = {
        (row["receipt_id"], row["instrument_id"]): (
            # It was committed before it came back.
            "committed" if row["status"] == "returned" else row["status"],
            row["discount"],
            row["bonuses"],
        )
        for row in run.found.redemptions
    }
    reached: dict[str, int] = {}
    for entry in run.found.of(SALES.name):
        reached.setdefault(entry.event_id, entry.at_ms)
    latest: dict[str, int] = {}
    for decision in run.decisions:
        if decision.outcome == "decided":
            latest[decision.receipt_id] = max(latest.get(decision.receipt_id, 0), decision.revision)
    for page in run.book.pages.values():
        decision_ = page.followed
        if decision_ is None or not _is_punctual(page, reached, latest):
            continue
        for key, expected in _promised(page, decision_).items():
            if ledger.get(key) != expected:
                yield Difference("punctual sales", "/".join(key), expected, ledger.get(key))


def _is_punctual(page: Page, reached: Mapping[str, int], latest: Mapping[str, int]) -> bool:
    decision = page.followed
    if decision is None or decision.expires_at is None:
        return False
    # A confirmation that is answered promises all that was decided, whenever it came.
    if any(sent.confirms and sent.acknowledged for sent in page.sales):
        return True
    times = [reached[sent.event_id] for sent in page.sales if sent.event_id in reached]
    times += [
        int(sent.answered_at.timestamp() * 1_000)
        for sent in page.sales
        if sent.answered_at and sent.acknowledged
    ]
    return (
        bool(times)
        and min(times) < decision.expires_at.timestamp() * 1_000
        and latest.get(page.receipt_id) == decision.revision
    )


def _promised(page: Page, decision: Decision) -> dict[tuple[str, str], tuple[str, int, int]]:
    """What the ledger must have of each benefit that was decided, and given unless it is points."""
    sale = page.paid
    given = {benefit.instrument_id: benefit.discount for benefit in sale.given} if sale else {}
    due = decision.total - decision.discount
    # Points are earned on money: what is paid with points earns none.
    money = min(due, sums_of(sale)[2] - points_of(sale)) if sale else 0
    return {
        (page.receipt_id, a.instrument_id): (
            "committed",
            given.get(a.instrument_id, 0),
            (2 * a.bonuses * money + due) // (2 * due) if a.bonuses else 0,
        )
        for a in decision.applied
        if a.bonuses or a.instrument_id in given
    }


def leased_slots_are_there(run: Run) -> Iterator[Difference]:
    """What an offline till gave of its store's lease is committed, whatever else was taken meanwhile."""
    ledger = {
        (row["receipt_id"], row["instrument_id"]): row["status"] for row in run.found.redemptions
    }
    named: Counter[str] = Counter()
    for page in run.book.pages.values():
        for benefit in page.paid.given if page.paid else ():
            if benefit.lease_id is None:
                continue
            named[benefit.lease_id] += 1
            status = ledger.get((page.receipt_id, benefit.instrument_id))
            # Where a cart came first, its decision is what counts.
            if not page.carts and status not in ("committed", "returned"):
                yield Difference("leased slots", page.receipt_id, "committed", status)
    for lease in run.found.leases:
        used = lease["used"]
        if lease["status"] != "returned" or used > min(lease["amount"], named[lease["lease_id"]]):
            yield Difference("leases", lease["lease_id"], "returned, used as named", dict(lease))


def one_question_has_one_answer(run: Run) -> Iterator[Difference]:
    """However often an event comes, its decision is the same to the byte."""
    bodies: dict[str, set[bytes]] = {}
    for entry in run.found.of(DECISIONS.name):
        bodies.setdefault(entry.event_id, set()).add(entry.value)
    for event_id, answers in bodies.items():
        if len(answers) > 1:
            yield Difference("one answer", event_id, 1, len(answers))

    for event_id, answers in run.book.replies.items():
        if len(answers) > 1:
            yield Difference("one answer over HTTP", event_id, 1, len(answers))
    for surprise in run.book.surprises:
        yield Difference("refusals are explained", surprise, "no refusal", "refused")


def dead_letters_are_explained(run: Run) -> Iterator[Difference]:
    """Each is of an event that we know may become one, for that reason."""
    for entry in run.found.entries:
        if entry.topic in DEAD:
            sent = run.book.events.get(entry.event_id)
            if sent is None or entry.reason not in sent.may_die:
                expected = sorted(sent.may_die) if sent else "no such event was sent"
                what = f"{entry.topic} {entry.event_id}"
                yield Difference("dead letters", what, expected, entry.reason)


def nothing_acknowledged_is_lost(run: Run) -> Iterator[Difference]:
    """Kafka has all that it acknowledged; the relays have sent every number, readers saw no gap."""
    there = {e.event_id for topic in (CARTS, SALES) for e in run.found.of(topic.name)}
    for event_id, sent in run.book.events.items():
        if sent.over == "kafka" and sent.acknowledged and event_id not in there:
            yield Difference("Kafka keeps what it acknowledged", event_id, "there", "lost")
    first, last = run.found.numbers
    dead = DEAD[:2]  # those of the evaluator
    sent_numbers = {
        e.number for e in run.found.entries if e.topic in (*OUTCOMES, *dead) and e.number
    }
    missing = [n for n in range(first + 1, last + 1) if n not in sent_numbers]
    if missing:
        yield Difference("relayed numbers", f"{first + 1}–{last}", "all", f"without {missing[:10]}")
