"""How often Python looks for garbage: seldom, where work is many objects without cycles."""

import gc

_OBJECTS_PER_COLLECTION = 200_000


def collect_less() -> None:
    """Collect seldom: a batch is many objects without cycles, and they end with it.

    At Python's default (every 700 objects) collecting takes a quarter of a rollup's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_PER_COLLECTION, 20, 100)
