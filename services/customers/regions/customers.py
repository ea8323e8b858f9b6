"""How many different customers bought in a region: sketches of its weeks, whose unions count nobody twice.

A HyperLogLog sketch (datasketches, 4,096 registers) takes 2 KiB at most; it tells few exactly, many to 1.6%.
"""

from collections.abc import Iterable

from datasketches import hll_sketch, hll_union, tgt_hll_type

_LG_REGISTERS = 12
_KIND = tgt_hll_type.HLL_4


def extended(sketch: bytes | None, customers: Iterable[str]) -> bytes:
    """A sketch (None: an empty one) with these customers in it."""
    known = hll_sketch.deserialize(sketch) if sketch else hll_sketch(_LG_REGISTERS, _KIND)
    for customer in customers:
        known.update(customer)
    return bytes(known.serialize_compact())


def counted(sketches: Iterable[bytes]) -> int:
    """How many customers there are in any of the sketches (an estimate)."""
    union = hll_union(_LG_REGISTERS)
    for sketch in sketches:
        union.update(hll_sketch.deserialize(sketch))
    estimate: float = union.get_estimate()
    return round(estimate)
