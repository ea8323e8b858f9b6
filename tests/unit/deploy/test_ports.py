"""Which ports are chosen."""

import itertools

import pytest

from deploy.local.errors import StackError
from deploy.local.ports import Claims, choose


def _choose(
    preferred: dict[str, int], last: dict[str, int], busy: set[int] | None = None
) -> dict[str, int]:
    others = itertools.count(50_000)
    taken = busy or set()
    return choose(preferred, last, lambda port: port not in taken, lambda: next(others))


def test_the_preferred_ports_are_taken_when_free() -> None:
    """A first start has the documented addresses."""
    assert _choose({"kafka": 19092, "postgres": 15432}, {}) == {"kafka": 19092, "postgres": 15432}


def test_last_times_port_comes_first() -> None:
    """Bookmarks and configured tills keep working."""
    assert _choose({"kafka": 19092}, {"kafka": 41000}) == {"kafka": 41000}


def test_a_busy_port_gets_the_preferred_then_another() -> None:
    """Two stacks on one machine do not meet."""
    assert _choose({"kafka": 19092}, {"kafka": 41000}, {41000}) == {"kafka": 19092}
    assert _choose({"kafka": 19092}, {"kafka": 41000}, {41000, 19092}) == {"kafka": 50_000}


def test_no_two_parts_get_the_same_port() -> None:
    """Also not when last time's port of one is another's preferred one."""
    chosen = _choose({"a": 1000, "b": 1000, "c": 0}, {"a": 1000})
    assert len(set(chosen.values())) == 3
    assert chosen["a"] == 1000


def test_a_port_that_another_stack_has_claimed_is_not_free() -> None:
    """Also while nobody listens on it: its server may only be about to start."""
    theirs, ours = Claims(), Claims()
    [port] = choose({"kafka": 0}, {}, theirs.take).values()
    assert 15_000 <= port < 32_000
    assert not ours.take(port)
    theirs.release()
    assert ours.take(port)
    ours.release()


def test_a_machine_without_a_free_port_is_told_of() -> None:
    """Instead of looking for ever."""
    with pytest.raises(StackError, match="no free port"):
        choose({"kafka": 19092}, {}, lambda _: False, lambda: 1)
