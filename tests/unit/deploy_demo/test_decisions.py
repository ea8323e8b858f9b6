"""Decisions are counted where they are read: by the tills once, in the log by their ids."""

from collections.abc import AsyncIterator

import msgspec

from deploy.demo.receipts import DecidedLine, Decision
from deploy.demo.till import Decisions, Tally
from deploy.demo.topics import decided


def decision(decision_id: str, receipt_id: str = "r-1", discount: int = 300) -> Decision:
    lines = (DecidedLine(1, discount),)
    return Decision(decision_id, receipt_id, "decided", discount, 5, lines, ())


async def logged(*decisions: Decision) -> AsyncIterator[bytes]:
    for one in decisions:
        yield msgspec.json.encode(one)


async def test_a_till_counts_the_decision_it_waits_for_once_and_no_other() -> None:
    tally = Tally()
    decisions = Decisions("kafka:9092", tally)
    answer = decisions.expect("r-1")
    for read in (decision("d-1"), decision("d-1"), decision("d-2", "r-2")):
        decisions.hand_out(read)
    assert (await answer).decision_id == "d-1"
    assert (tally.decisions, tally.decided_discount, tally.bonuses) == (1, 300, 5)
    assert tally.sales == 0


async def test_a_decision_logged_twice_is_one_and_another_of_its_cart_is_a_second() -> None:
    twice = await decided(logged(decision("d-1"), decision("d-1")))
    assert twice == {"d-1": 300}
    second = await decided(logged(decision("d-1"), decision("d-2", discount=100)))
    assert second == {"d-1": 300, "d-2": 100}
