"""Counting different customers by sketches: about right, and nobody twice."""

from services.analytics.insight.customers import Counted, Mark, Union, extended, pack, unpack
from services.analytics.insight.folding import customer_of


def customers(first: int, count: int) -> list[int]:
    return [customer_of(f"c-{n}") for n in range(first, first + count)]


def counted(*sketches: bytes, beside: tuple[int, ...] = ()) -> Counted:
    union = Union()
    for sketch in sketches:
        union.add(sketch)
    for customer in beside:
        union.add_one(customer)
    return union.counted


def test_few_are_counted_exactly() -> None:
    assert counted() == (0, 0, 0)
    found = counted(extended(None, customers(0, 100)))
    assert (found.estimate, found.lower) == (100, 100)


def test_many_are_counted_within_the_bounds() -> None:
    found = counted(extended(None, customers(0, 100_000)))
    assert found.lower < 100_000 < found.upper
    assert found.upper - found.lower < 10_000


def test_who_comes_again_counts_once_in_whatever_sketch_or_order() -> None:
    early, late = extended(None, customers(0, 150)), extended(None, customers(100, 150))
    assert counted(early, late).estimate == counted(late, early, early).estimate == 250
    again = extended(early, customers(100, 150))
    assert counted(extended(again, customers(0, 150))).estimate == 250
    assert counted(early, late, beside=tuple(customers(249, 2))).estimate == 251


def test_a_sketch_stays_small() -> None:
    assert len(extended(None, customers(0, 50_000))) < 2_500


def test_marks_are_kept_as_they_were() -> None:
    marks = [Mark(20_797, 1, 2, customer_of("a")), Mark(0, 3, 4, -(2**63))]
    columns = tuple(map(list, zip(*marks, strict=True)))
    assert unpack(pack(columns)) == marks  # type: ignore[arg-type]
    assert marks[0].date.isoformat() == "2026-12-10"
