"""Whose profiles a batch of facts changes."""

from datetime import UTC, datetime

from services.customers.messages import CodeChunk
from services.customers.profiles import sorted_out
from shared.events.reference import NOBODY

POSTED = datetime(2026, 12, 5, tzinfo=UTC)


def test_codes_are_offered_to_those_who_hold_them_and_to_nobody_else() -> None:
    chunk = CodeChunk("e-1", POSTED, ("a", None, NOBODY, "b", "a"))
    assert sorted_out([chunk]).codes == {("a", "e-1"): 2, ("b", "e-1"): 1}
