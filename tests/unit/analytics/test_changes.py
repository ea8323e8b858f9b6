"""Listeners learn of every change, and of many at once only once."""

import asyncio

from services.analytics.changes import Changes


async def test_a_listener_waits_for_the_next_change() -> None:
    changes = Changes()
    waiting = asyncio.create_task(changes.wait(0))
    await asyncio.sleep(0)
    assert not waiting.done()
    changes.publish()
    assert await waiting == 1


async def test_changes_while_a_listener_is_busy_are_one_to_it() -> None:
    changes = Changes()
    for _ in range(3):
        changes.publish()
    seen = await changes.wait(0)
    waiting = asyncio.create_task(changes.wait(seen))
    await asyncio.sleep(0)
    assert not waiting.done()
    changes.publish()
    assert await waiting == seen + 1


async def test_every_listener_is_woken() -> None:
    changes = Changes()
    waiting = [asyncio.create_task(changes.wait(0)) for _ in range(3)]
    await asyncio.sleep(0)
    changes.publish()
    assert await asyncio.gather(*waiting) == [1, 1, 1]


async def test_iteration_begins_with_the_next_change() -> None:
    changes = Changes()
    changes.publish()
    following = aiter(changes)
    waiting = asyncio.ensure_future(anext(following))
    await asyncio.sleep(0)
    assert not waiting.done()
    changes.publish()
    assert await waiting == 2
