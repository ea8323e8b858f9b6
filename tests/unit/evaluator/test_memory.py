"""What was looked up is remembered: for a while, and not without end."""

from services.evaluator.memory import Memory

LASTS_S, ABSENT_S = 10.0, 1.0


def memory(most: int = 10) -> Memory[str, int]:
    return Memory(most, LASTS_S, ABSENT_S)


def test_what_was_never_met_is_missing() -> None:
    empty = memory()
    assert empty.missing(["a", "b"], 0.0) == ["a", "b"]
    assert "a" not in empty
    assert empty.get("a") is None


def test_a_fact_is_fresh_for_so_long_and_there_for_longer() -> None:
    one = memory()
    one.put(["a"], {"a": 1}, 5.0)
    assert one.missing(["a"], 14.9) == []
    assert one.missing(["a"], 15.0) == ["a"]
    assert one.get("a") == 1


def test_that_there_is_none_is_remembered_too_but_not_as_long() -> None:
    one = memory()
    one.put(["a", "b"], {"a": 1}, 0.0)
    assert one.missing(["a", "b"], 0.9) == []
    assert one.missing(["a", "b"], 1.0) == ["b"]
    assert "b" in one
    assert one.found(["a", "b", "c"]) == {"a": 1}


def test_looked_up_again_it_is_as_it_is_then() -> None:
    one = memory()
    one.put(["a"], {"a": 1}, 0.0)
    one.put(["a"], {}, 20.0)
    assert one.get("a") is None
    assert one.missing(["a"], 20.5) == []


def test_memory_is_bounded_and_forgets_what_was_looked_up_longest_ago() -> None:
    small = memory(most=2)
    small.put(["a", "b"], {"a": 1, "b": 2}, 0.0)
    small.put(["a"], {"a": 1}, 1.0)
    small.put(["c"], {"c": 3}, 2.0)
    assert len(small) == 2
    assert "b" not in small
    assert small.found(["a", "c"]) == {"a": 1, "c": 3}
