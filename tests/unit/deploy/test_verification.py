"""The proof: whatever source has a figure that is off, it is noticed, and named."""

from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from aiokafka.structs import ConsumerRecord

from deploy.verification import report
from deploy.verification.events import Events
from deploy.verification.figures import FIGURES, Sums
from deploy.verification.proof import Proof
from deploy.verification.snapshot import Ledger, Statistics, sources
from services.evaluator.certificate import LeaseStanding, Standing
from services.evaluator.certificate import Sums as Slots
from services.evaluator.store.proof import Bonuses, Cut, Decided
from shared.topics import BONUSES, RECEIPTS, REDEMPTIONS, RETURNS

NOW = datetime(2026, 12, 5, tzinfo=UTC)
KEY = ("welcome", "ten")
US = UUID(int=1)
CUT = Cut(producer=US, number=100, waiting=frozenset({"late"}), rows=())
FIGURES_OF_KEY = {
    "activations": 2,
    "discount": 300,
    "bonuses": 30,
    "returned": 1,
    "released": 1,
    "discount_returned": 100,
    "bonuses_returned": 10,
    "unauthorised": 1,
    "unauthorised_discount": 50,
    "unauthorised_returned": 5,
}
DECIDED = Decided(
    granted=3,
    committed=2,
    unauthorised=1,
    not_given=0,
    earned_late=0,
    granted_discount=350,
    committed_discount=300,
    mismatch=0,
    unauthorised_discount=50,
    not_given_discount=0,
    unexplained=[],
)
BALANCED = Bonuses(entered=0, unbalanced={}, different=0, points=20, lots=20, debt=0)
OFFER = {"campaign_id": KEY[0], "instrument_id": KEY[1]}


def record(
    topic: str,
    number: int,
    body: dict[str, Any],
    *,
    offset: int = 0,
    producer: UUID = US,
    event_id: str = "",
) -> ConsumerRecord:
    """An event as the relay sends it."""
    headers = (
        ("ce_id", event_id.encode()),
        ("ts_producer", str(producer).encode()),
        ("ts_number", str(number).encode()),
    )
    return ConsumerRecord(topic, 0, offset, 0, 0, b"k", orjson.dumps(body), None, 0, 0, headers)


def changed(name: str, status: str, **values: Any) -> dict[str, Any]:
    return {"redemption_id": name, "status": status, "discount": 0, "bonuses": 0, **OFFER, **values}


def paid(status: str, discount: int, bonuses: int) -> dict[str, Any]:
    return {"status": status, "discount": discount, "bonuses": bonuses, **OFFER}


def story() -> list[ConsumerRecord]:
    """Two sales with the benefit and one without right; one comes back, the other in part."""
    held = [changed("r1", "held"), changed("r2", "held"), changed("r9", "held")]
    states = [
        *held,
        changed("r9", "expired"),
        changed("r1", "committed", discount=100, bonuses=10),
        changed("r2", "committed", discount=200, bonuses=20),
        changed("r3", "unauthorised", discount=50),
        changed("r1", "returned", discount=100, bonuses=10, discount_returned=95),
        changed("r2", "committed", discount=200, bonuses=20, discount_returned=5),
        changed("r3", "unauthorised", discount=50, discount_returned=5),
    ]
    receipts = [paid("committed", 100, 10), paid("committed", 200, 20), paid("unauthorised", 50, 0)]
    back = [
        {**OFFER, "status": "returned", "released": True, "discount": 95, "bonuses": 10},
        {**OFFER, "status": "committed", "released": False, "discount": 5, "bonuses": 0},
        {**OFFER, "status": "unauthorised", "released": False, "discount": 5, "bonuses": 0},
    ]
    bodies = [
        *((REDEMPTIONS.name, body) for body in states),
        *((RECEIPTS.name, {"redemptions": [one]}) for one in receipts),
        *((RETURNS.name, {"redemptions": [one]}) for one in back),
        *((BONUSES.name, {"points": points}) for points in (10, 20, -10)),
    ]
    return [record(topic, n, body) for n, (topic, body) in enumerate(bodies, start=1)]


def taken(records: Sequence[ConsumerRecord], read: int = 1_000) -> Events:
    """The sums of these records."""
    events = Events(CUT, {(RECEIPTS.name, 0): read, (RETURNS.name, 0): read})
    for one in records:
        events.take(one)
    events.finish()
    return events


def proved(
    figures: dict[str, int] | None = None, events: Events | None = None, **values: Any
) -> Proof:
    """A proof in which all agree, but for what is given."""
    ledger = Ledger(now=NOW, cut=CUT, decided={KEY: DECIDED}, bonuses=BALANCED)
    ledger.sums = Sums(3, {KEY: Counter(figures or FIGURES_OF_KEY)})
    standing = Standing(limit_id="welcome/ten", cap=9, counted=Slots(used=1), taken=Slots(used=1))
    ledger.limits, ledger.standings = 1, [standing]
    ledger.leases = [LeaseStanding(lease_id="l-1", used=2, drawn=2)]
    found = events or taken(story())
    rollups = {name: n for name, n in FIGURES_OF_KEY.items() if name != "returned"}
    statistics = Statistics(Sums(3, {KEY: Counter(rollups)}), {})
    compared = sources(ledger, found, statistics)
    return replace(Proof(ledger, compared, found.bonuses), **values)


def test_sources_that_say_the_same_differ_in_nothing() -> None:
    proof = proved()
    assert proof.differences == []
    assert proof.document()["verified"]
    assert set(proof.rows[KEY][0].cells) == {"ledger", "redemptions", "sales, returns", "rollups"}


@pytest.mark.parametrize("by", [-1, 1])
@pytest.mark.parametrize("source", ["ledger", "redemptions", "sales, returns", "rollups"])
@pytest.mark.parametrize("figure", FIGURES)
def test_a_figure_that_is_off_in_any_source_is_noticed(source: str, figure: str, by: int) -> None:
    proof = proved()
    sums = deepcopy(dict(proof.sources))
    sums[source].instruments[KEY][figure] += by
    said = (source, figure) not in {
        ("rollups", "returned"),
        ("redemptions", "released"),
        ("redemptions", "bonuses_returned"),
    }
    found = replace(proof, sources=sums).differences
    assert bool(found) == said
    assert all("welcome/ten" in words and FIGURES[figure] in words for words in found)


@pytest.mark.parametrize("source", ["ledger", "sales, returns", "rollups"])
def test_a_receipt_too_many_is_noticed(source: str) -> None:
    proof = proved()
    sums = deepcopy(dict(proof.sources))
    sums[source].receipts += 1
    assert "receipts paid" in replace(proof, sources=sums).differences[0]


LAST_STATES = 7
"""How many redemption events of the story are followed by another of the same redemption."""


@pytest.mark.parametrize("n", range(LAST_STATES, len(story())))
def test_an_event_that_is_lost_is_noticed(n: int) -> None:
    records = story()
    assert proved(events=taken(records[:n] + records[n + 1 :])).differences


def test_an_event_that_comes_twice_is_counted_once() -> None:
    records = story()
    assert proved(events=taken([*records, *records[-6:]])).differences == []


def test_what_came_after_the_snapshot_is_not_counted_and_what_waited_then_is() -> None:
    more = {"redemptions": [paid("committed", 1, 0)]}
    after = record(RECEIPTS.name, 101, more, offset=2_000, event_id="new")
    assert proved(events=taken([*story(), after])).differences == []
    waiting = record(RECEIPTS.name, 101, more, offset=2_000, event_id="late")
    assert proved(events=taken([*story(), waiting])).differences


def test_what_the_statistics_read_after_the_snapshot_is_taken_off() -> None:
    """A sale that the rollups have and the ledger's snapshot has not."""
    more = {"redemptions": [paid("committed", 1, 0)]}
    events = taken([*story(), record(RECEIPTS.name, 101, more, offset=500, event_id="new")])
    ledger = proved().ledger
    rollups = Counter({k: n for k, n in FIGURES_OF_KEY.items() if k != "returned"})
    rollups.update(activations=1, discount=1)
    compared = sources(ledger, events, Statistics(Sums(4, {KEY: rollups}), {}))
    assert Proof(ledger, compared, events.bonuses).differences == []


def test_another_ledgers_events_are_noticed() -> None:
    foreign = record(
        RECEIPTS.name, 1_000, {"redemptions": [paid("committed", 1, 0)]}, producer=UUID(int=2)
    )
    assert proved(events=taken([*story(), foreign])).differences


def test_topics_that_lost_their_beginning_are_left_out() -> None:
    events = taken([])
    events.missing = {RECEIPTS.name: 7, REDEMPTIONS.name: 3}
    ledger = proved().ledger
    statistics = Statistics(deepcopy(ledger.sums), {})
    assert list(sources(ledger, events, statistics)) == ["ledger", "rollups"]


@pytest.mark.parametrize(
    "values",
    [
        {"granted": 4},
        {"committed": 3},
        {"unauthorised": 0},
        {"not_given": 1},
        {"earned_late": 1},
        {"granted_discount": 351},
        {"mismatch": 1},
        {"committed_discount": 299},
        {"unauthorised_discount": 51},
        {"not_given_discount": 1},
        {"unexplained": ["receipt-1"]},
    ],
    ids=lambda values: next(iter(values)),
)
def test_decisions_that_are_not_accounted_for_are_noticed(values: dict[str, Any]) -> None:
    proof = proved()
    proof.ledger.decided = {KEY: replace(DECIDED, **values)}
    assert "welcome/ten" in proof.differences[0]


@pytest.mark.parametrize(
    "values",
    [{"entered": 1}, {"unbalanced": {"b-1": 5}}, {"different": 1}, {"points": 21}],
    ids=lambda values: next(iter(values)),
)
def test_bonuses_that_do_not_balance_are_noticed(values: dict[str, Any]) -> None:
    proof = proved()
    proof.ledger.bonuses = replace(BALANCED, **values)
    assert "bonuses" in proof.differences[0]


def test_limits_leases_redemptions_and_lag_that_differ_are_told() -> None:
    late = ["analytics has 3 records still to read: does it run?"]
    proof = proved(late=late)
    broken = Standing(limit_id="welcome/ten", cap=9, counted=Slots(used=2), taken=Slots(used=1))
    proof.ledger.standings = [broken]
    proof.ledger.leases = [*proof.ledger.leases, LeaseStanding(lease_id="l-2", used=2, drawn=1)]
    proof.ledger.contradictory = 2
    proof.ledger.contradictions = {"r-1": ["it is committed, and its receipt is not there"]}
    assert [words.split(":")[0] for words in proof.differences] == [
        "limit welcome/ten",
        "lease l-2",
        "redemption r-1",
        "1 more redemptions contradict themselves",
        "analytics has 3 records still to read",
    ]


def test_the_report_has_a_table_of_limits_of_sums_and_of_decisions() -> None:
    assert [table.row_count > 0 for table in report.tables(proved())] == [True, True, True]
