"""Dead letters in a row: one bad till goes on, a bad deployment stops."""

import pytest
from aiokafka.structs import ConsumerRecord

from shared.dead_letters import DeadLetter, Run, TooManyDeadLettersError


def records(count: int, sources: int, start: int = 0) -> list[ConsumerRecord]:
    return [
        ConsumerRecord("t", 0, n, 0, 0, f"till-{n % sources}".encode(), b"", None, 0, 0, ())
        for n in range(start, start + count)
    ]


def dead(letters: list[ConsumerRecord]) -> list[DeadLetter]:
    return [DeadLetter(record, "bad", "field: is bad") for record in letters]


def test_one_bad_till_does_not_stop_the_others() -> None:
    batch = records(1_000, sources=1)
    assert Run(longest=10).after(batch, dead(batch)).length == 1_000


def test_several_sources_in_a_row_stop_the_consumer() -> None:
    batch = records(10, sources=3)
    with pytest.raises(TooManyDeadLettersError, match="10 dead letters in a row from 3 sources"):
        Run(longest=10).after(batch, dead(batch))


def test_the_run_goes_on_from_batch_to_batch() -> None:
    run = Run(longest=10).after(records(9, sources=3), dead(records(9, sources=3)))
    with pytest.raises(TooManyDeadLettersError):
        run.after(records(1, 3, start=9), dead(records(1, 3, start=9)))


def test_a_good_message_ends_the_run() -> None:
    batch = records(9, sources=3)
    run = Run(longest=10).after(batch, dead(batch))
    good = records(1, 3, start=9)
    assert run.after(good, []).length == 0


def test_a_letter_too_large_to_be_kept_says_so_and_where_it_is() -> None:
    """A compressed batch may bring more than a dead-letter topic takes."""
    huge = b"x" * (5 * 1024 * 1024)
    record = ConsumerRecord("t", 2, 7, 0, 0, b"k", huge, None, 0, 0, (("ce_id", b"e"),))
    letter = DeadLetter(record, "bad", "total: is bad")
    assert (letter.key, letter.value) == (None, b"")
    assert dict(letter.headers)["ts_truncated"] == b"too large to be kept"
    assert dict(letter.headers)["ts_origin_offset"] == b"7"


def test_a_letter_without_key_and_value_can_be_sent() -> None:
    """The producer refuses to send nothing at all, and the relay would never get past it."""
    empty = ConsumerRecord("t", 0, 0, 0, 0, None, None, None, 0, 0, ())
    deleted = ConsumerRecord("t", 0, 0, 0, 0, b"k", None, None, 0, 0, ())
    assert (DeadLetter(empty, "bad", "").key, DeadLetter(empty, "bad", "").value) == (None, b"")
    assert (DeadLetter(deleted, "bad", "").key, DeadLetter(deleted, "bad", "").value) == (
        b"k",
        None,
    )


def test_the_origin_and_the_reason_travel_in_headers_and_the_relays_own_do_not() -> None:
    record = ConsumerRecord(
        "t", 2, 7, 0, 0, b"k", b"v", None, 0, 0, (("ce_id", b"e"), ("ts_number", b"5"))
    )
    assert DeadLetter(record, "bad", "total: is bad").headers == [
        ("ce_id", b"e"),
        ("ts_reason", b"bad"),
        ("ts_detail", b"total: is bad"),
        ("ts_origin_topic", b"t"),
        ("ts_origin_partition", b"2"),
        ("ts_origin_offset", b"7"),
    ]
