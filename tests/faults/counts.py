"""Counts that must agree: caps, slots, ledger, events, statistics, decisions, bonuses. Pure.

Every check returns what differs: nothing, if all is well.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from shared.events.outcome import Redemption
from tests.faults.evidence import Difference, Run, same, sums_of
from tests.faults.offers import BUDGET, CAP_OF_WORD, FIRST, TIMES_A_CUSTOMER

_KEEPS_ITS_SLOT = "first"
_ACTIVATED = ("committed", "returned")
"""What was an activation, whatever came back of it later."""


def caps_hold(run: Run) -> Iterator[Difference]:
    """Committed ≤ cap: by the events, with the caps that were authored; and by the ledger's own counters."""
    used = [state for state in run.states.values() if _uses_its_slot(run, state)]
    counts = Counter(run.name(state.instrument_id) for state in used)
    money = sum(s.discount - s.discount_returned for s in _of(run, used, "budget"))
    customers = Counter(s.customer_id for s in _of(run, used, "thrice"))
    codes = Counter(
        code
        for s in _of(run, used, "personal")
        for code in run.book.page(s.receipt_id).codes
        if code != run.offers.word
    )
    for what, count, cap in (
        ("word", counts["word"], CAP_OF_WORD),
        ("first", counts["first"], FIRST),
        ("budget", money, BUDGET),
        *((f"thrice {who}", count, TIMES_A_CUSTOMER) for who, count in customers.items()),
        *(("a single-use code", count, 1) for count in codes.values()),
    ):
        if count > cap:
            yield Difference("committed ≤ cap, by events", what, f"≤ {cap}", count)
    for limit in run.found.limits:
        authored = run.offers.cap(limit["limit_id"])
        over = authored is None or limit["used"] + limit["held"] + limit["leased"] > authored
        if over or limit["cap"] != authored:
            found = dict(limit)
            yield Difference("committed ≤ cap, by counters", limit["limit_id"], authored, found)


def _uses_its_slot(run: Run, state: Redemption) -> bool:
    kept = state.status == "returned" and run.name(state.instrument_id) == _KEEPS_ITS_SLOT
    return kept or state.status == "committed"


def _of(run: Run, states: Sequence[Redemption], name: str) -> list[Redemption]:
    return [state for state in states if run.name(state.instrument_id) == name]


def no_hold_leaks(run: Run) -> Iterator[Difference]:
    """Free + held + leased + used = cap: each counter is the sum of the redemptions that take of it.

    All holds are over and all leases are returned, so that nothing is held or leased.
    """
    held: Counter[str] = Counter()
    used: Counter[str] = Counter()
    for row in run.found.redemptions:
        sums = {"held": held, "committed": used}.get(row["status"])
        if row["status"] == "returned" and run.name(row["instrument_id"]) == _KEEPS_ITS_SLOT:
            sums = used
        if sums is not None:
            sums.update(dict(zip(row["limit_ids"], row["limit_amounts"], strict=True)))
    counters = {limit["limit_id"]: limit for limit in run.found.limits}
    for limit_id in sorted({*counters, *held, *used}):
        limit = counters.get(limit_id, {"held": 0, "leased": 0, "used": 0})
        expected = (0, 0, used[limit_id])
        found = (limit["held"], limit["leased"], limit["used"])
        if held[limit_id] or found != expected:
            yield Difference("no hold leaks (held, leased, used)", limit_id, expected, found)


def the_ledger_is_what_was_said_of_it(run: Run) -> Iterator[Difference]:
    """Every redemption is as its last event says."""
    columns = ("status", "discount", "bonuses", "mismatch", "returned")
    ledger = {
        row["redemption_id"]: tuple(row[column] for column in columns)
        for row in run.found.redemptions
    }
    said = {
        i: (s.status, s.discount, s.bonuses, s.mismatch, s.discount_returned)
        for i, s in run.states.items()
    }
    yield from same("ledger = events", said, ledger)


def the_statistics_are_the_ledger(run: Run) -> Iterator[Difference]:
    """Rollups: by instrument what the ledger has, gross, and what returns took back of it."""
    sums: dict[str, Counter[str]] = {}
    for row in run.found.redemptions:
        name = run.name(row["instrument_id"])
        one = sums.setdefault(name, Counter())
        if row["status"] in _ACTIVATED:
            one.update(activations=1, discount=row["discount"], bonuses=row["bonuses"])
            one.update(
                returned=row["status"] == "returned" and name != _KEEPS_ITS_SLOT,
                returned_discount=row["returned"],
                returned_bonuses=row["bonuses_returned"],
            )
        elif row["status"] == "unauthorised":
            one.update(unauthorised=1, unauthorised_discount=row["discount"])
            one.update(returned_unauthorised_discount=row["returned"])
    for decision in {d.decision_id: d for d in run.decisions}.values():
        if decision.intent == "checkout" and decision.outcome == "decided":
            for applied in decision.applied:
                sums.setdefault(run.name(applied.instrument_id), Counter()).update(decided=1)
    rollups: dict[str, Counter[str]] = {}
    for row in (*run.found.instruments, *run.found.take_backs):
        counted = {name: value for name, value in row.items() if name != "instrument_id"}
        rollups.setdefault(run.name(row["instrument_id"]), Counter()).update(counted)
    yield from same("rollups = ledger", _without_zeros(sums), _without_zeros(rollups))


def the_statistics_are_the_tills(run: Run) -> Iterator[Difference]:
    """Rollups: by store what the tills were paid, and paid back."""
    stores: dict[str, Counter[str]] = {}
    for receipt_id, sale in run.book.sales.items():
        total, discount, paid = sums_of(sale)
        store = stores.setdefault(sale.store_id, Counter())
        store.update(receipts=1, total=total, discount=discount, paid=paid)
        page = run.book.page(receipt_id)
        if page.brought_back:
            store.update(returns=len(page.brought_back), refunded=run.refund(page))
    counted: dict[str, Counter[str]] = {}
    for row in (*run.found.sums, *run.found.return_sums):
        known = {name: value for name, value in row.items() if name not in ("store_id", "bonuses")}
        counted.setdefault(row["store_id"], Counter()).update(known)
    yield from same("rollups = tills", _without_zeros(stores), _without_zeros(counted))


def _without_zeros(table: Mapping[str, Counter[str]]) -> dict[str, dict[str, int]]:
    rows = {name: {c: n for c, n in sorted(sums.items()) if n} for name, sums in table.items()}
    return {name: row for name, row in rows.items() if row}


def what_was_decided_was_booked(run: Run) -> Iterator[Difference]:
    """Σ decisions, as the tills gave them, = the ledger's discounts, with right or without."""
    given: Counter[str] = Counter()
    for sale in run.book.sales.values():
        for benefit in sale.given:
            given[run.name(benefit.instrument_id)] += benefit.discount
    booked: Counter[str] = Counter()
    for row in run.found.redemptions:
        if row["status"] in (*_ACTIVATED, "unauthorised"):
            booked[run.name(row["instrument_id"])] += row["discount"]
    yield from same("ledger = Σ decisions given", given, +booked)


def bonuses_balance(run: Run) -> Iterator[Difference]:
    """Every entry's points add up to zero; the customers' are what redemptions and events say."""
    check = "bonuses"
    sums: Counter[str] = Counter()
    customers: Counter[tuple[str, str]] = Counter()
    for row in run.found.bonuses:
        sums[row["entry_id"]] += row["points"]
        if row["account"].startswith("customer/"):
            name = (row["entry_id"], row["account"].removeprefix("customer/"))
            customers[name] += row["points"]
    for entry_id, points in sums.items():
        if points:
            yield Difference(f"{check}: an entry", entry_id, 0, points)
    said: dict[tuple[str, str], int] = {}
    for entry in run.entries:
        if (entry.entry_id, entry.customer_id) in said:
            yield Difference(f"{check}: passed on", entry.entry_id, 1, "more than once")
        said[entry.entry_id, entry.customer_id] = entry.points
    yield from same(f"{check}: ledger = events", said, customers)
    earned = sum(r["bonuses"] for r in run.found.redemptions if r["status"] in _ACTIVATED)
    taken_back = sum(r["bonuses_returned"] for r in run.found.redemptions)
    kinds: Counter[str] = Counter()
    for entry in {entry.entry_id: entry for entry in run.entries}.values():
        kinds[entry.kind] += entry.points
    expected = {"accrual": earned, "take_back": -taken_back}
    yield from same(f"{check}: events = redemptions", expected, {k: kinds[k] for k in expected})
