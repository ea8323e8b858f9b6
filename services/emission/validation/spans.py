"""Sets of whole numbers, as spans: what a comparison lets through.

Money, thousandths and counts are all whole numbers, so that "> 5 and < 6" is empty.
"""

from shared.events.selection import Comparison

FOREVER = 10**15
"""Above every sum that can be: the end of a span without an upper end."""

Span = tuple[int, int]
Spans = tuple[Span, ...]
"""Spans with both ends included, ascending, apart from each other."""


def let_through(compare: Comparison) -> Spans:
    """The numbers that meet the comparison."""
    value = compare.value
    low, high = {
        ">=": (value, FOREVER),
        ">": (value + 1, FOREVER),
        "=": (value, value),
        "<": (-FOREVER, value - 1),
        "<=": (-FOREVER, value),
        "between": (value, compare.upper or 0),
    }[compare.op]
    return ((low, high),)


def meet(one: Spans, other: Spans) -> Spans:
    """The numbers in both."""
    found = [
        (max(low, other_low), min(high, other_high))
        for low, high in one
        for other_low, other_high in other
    ]
    return tuple(sorted((low, high) for low, high in found if low <= high))


def outside(spans: Spans) -> Spans:
    """The numbers in none of them."""
    left: Spans = ((-FOREVER, FOREVER),)
    for low, high in spans:
        left = meet(left, ((-FOREVER, low - 1), (high + 1, FOREVER)))
    return left
