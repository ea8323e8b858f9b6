"""Whose profiles a batch of facts changes."""

from datetime import UTC, datetime

from services.customers.messages import CodeChunk
from services.customers.profiles import sorted_out
from shared.events.reference import NOBODY
from tests.unit.customers.facts import a_bonus

POSTED = datetime(2026, 12, 5, tzinfo=UTC)


def test_codes_are_offered_to_those_who_hold_them_and_to_nobody_else() -> None:
    chunk = CodeChunk("e-1", POSTED, ("a", None, NOBODY, "b", "a"))
    assert sorted_out([chunk]).codes == {("a", "e-1"): 2, ("b", "e-1"): 1}


def test_points_of_who_was_erased_are_in_nobody_s_profile() -> None:
    entries = [a_bonus(5), a_bonus(-5, "expiry", customer_id=NOBODY)]
    changes = sorted_out(entries)
    assert changes.bonuses == entries[:1]
    assert changes.customers() == {"c-1"}
