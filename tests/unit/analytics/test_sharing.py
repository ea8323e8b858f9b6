"""Who asks the same at a time shares the answer."""

import asyncio

import pytest

from services.analytics.sharing import Sharing


class Work:
    """Counts how often it was done."""

    def __init__(self) -> None:
        self.times = 0
        self.may_end = asyncio.Event()

    async def __call__(self) -> int:
        self.times += 1
        await self.may_end.wait()
        return self.times


async def test_those_who_ask_while_it_is_worked_out_get_the_same() -> None:
    sharing, work = Sharing[int](seconds=0), Work()
    asked = [asyncio.create_task(sharing.of("caps", work)) for _ in range(3)]
    await asyncio.sleep(0)
    work.may_end.set()
    assert await asyncio.gather(*asked) == [1, 1, 1]
    assert await sharing.of("caps", work) == 2


async def test_an_answer_is_kept_for_a_moment_for_its_question_only() -> None:
    sharing, work = Sharing[int](seconds=3_600), Work()
    work.may_end.set()
    assert [await sharing.of("a", work), await sharing.of("a", work)] == [1, 1]
    assert await sharing.of("b", work) == 2


async def test_who_leaves_does_not_take_it_from_the_others() -> None:
    sharing, work = Sharing[int](seconds=0), Work()
    leaves, stays = (asyncio.create_task(sharing.of("a", work)) for _ in range(2))
    await asyncio.sleep(0)
    leaves.cancel()
    await asyncio.sleep(0)
    work.may_end.set()
    assert await stays == 1


async def test_a_failure_is_for_those_who_waited_and_is_not_kept() -> None:
    sharing = Sharing[int](seconds=3_600)

    async def fail() -> int:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await sharing.of("a", fail)
    work = Work()
    work.may_end.set()
    assert await sharing.of("a", work) == 1
