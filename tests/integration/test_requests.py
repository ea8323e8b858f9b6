"""Codes on request against real servers: one for each request, whatever is killed when."""

import csv
import os
import signal
from datetime import timedelta
from itertools import pairwise
from typing import Any

import asyncpg
import httpx
import pytest
from cryptography.exceptions import InvalidTag

from deploy.local.stack import Stack
from services.emission.cipher import CodeCipher
from services.emission.requests import KEPT_FOR
from services.emission.retention import Retention
from services.emission.store import requests as store
from services.emission.store.requests import Answered
from shared import clock, topics
from shared.codec import header
from shared.codes import digest, unpack
from shared.outbox import REPEATS_HEADER
from tests.integration import shop
from tests.integration.emission import instrument_of, mass, new_id, new_word, ok, plan_of, published
from tests.integration.emission import post as post_emission
from tests.integration.requests import a_request, answers, ask, issued, on_request, records_of
from tests.integration.shop import a_cart
from tests.integration.test_emission_codes import Sheet
from tests.waiting import until

Json = dict[str, Any]
HOUR = timedelta(hours=1)


async def rows_of(client: httpx.AsyncClient, emission_id: str) -> list[dict[str, str]]:
    """The export of the emission."""
    answer = await client.get(f"/v1/emissions/{emission_id}/codes")
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(answer.text.splitlines()))


async def test_a_request_is_answered_with_a_code_for_its_customer(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    ends = (clock.now() + HOUR / 2).replace(microsecond=0)
    emission_id = await on_request(client, pattern="GIFT-########", valid_until=ends.isoformat())
    request = a_request(emission_id)
    [answer] = await issued(stack, request)
    assert answer.refused is None
    assert answer.code is not None
    assert answer.code.startswith("GIFT-")
    assert (answer.customer_id, answer.emission_id) == (request.customer_id, emission_id)
    assert answer.valid_until == ends  # an hour was asked for, the emission ends before
    view = ok(await client.get(f"/v1/emissions/{emission_id}"))
    assert (view["count"], view["posted_codes"], view["requested_codes"]) == (0, 0, 1)
    ((event_id, chunk),) = await published(stack, topics.CODES, emission_id)
    assert event_id == f"{emission_id}:1"
    assert unpack(chunk.digests) == [digest(answer.code, bytes.fromhex(stack.secrets.code_key))]
    assert chunk.holders == (request.customer_id,)
    assert chunk.valid_until == ends
    assert await rows_of(client, emission_id) == [
        {
            "code": answer.code,
            "customer_id": request.customer_id,
            "valid_until": ends.isoformat(),
        }
    ]


async def test_the_same_request_gets_the_same_answer_and_another_with_its_id_none(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    emission_id = await on_request(client)
    request = a_request(emission_id)
    another = request.model_copy(update={"valid_until": request.valid_until + HOUR})
    await ask(stack, [request, request, another])
    first = (await answers(stack, {request.request_id}))[request.request_id]
    last = a_request(emission_id, customer_id=request.customer_id)
    await ask(stack, [request, another])
    await issued(stack, last)  # on their partition, behind them

    given = await records_of(stack, topics.CODES_ISSUED.name, request.customer_id)
    mine = [one for one in given if header(one.headers, "ce_id") == request.request_id]
    assert [one.value for one in mine] == [mine[0].value] * 3
    assert first.code in (mine[0].value or b"").decode()
    repeats = [header(one.headers, REPEATS_HEADER) for one in mine]
    assert repeats == [None, "1", "1"]
    assert len(await rows_of(client, emission_id)) == 2
    dead = await records_of(stack, topics.CODE_REQUESTS.dead_letter_name, request.customer_id)
    assert [header(one.headers, "ts_reason") for one in dead] == ["conflicting_request"] * 2


async def test_a_request_that_cannot_be_met_is_told_why(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    word, draft = mass(new_word()), new_id("e")
    ok(await client.post("/v1/emissions", json=word), 201)
    await post_emission(client, word["emission_id"])
    body = {"emission_id": draft, "name": "Draft", "kind": "personal", "count": 0}
    ok(await client.post("/v1/emissions", json=body), 201)
    posted = await on_request(client)
    requests = [
        a_request(new_id("e")),
        a_request(word["emission_id"]),
        a_request(draft),
        a_request(posted, valid_until=clock.now() - HOUR),
        a_request(posted),
    ]
    given = await issued(stack, *requests)
    assert [one.refused for one in given] == [
        "no_such_emission",
        "not_personal",
        "not_posted",
        "ended",
        None,
    ]
    # It stays so when what was missing is there: the same request has the same answer.
    await post_emission(client, draft)
    anew = a_request(draft, customer_id=requests[2].customer_id)
    await ask(stack, [requests[2]])
    [made] = await issued(stack, anew)
    assert made.code
    found = await records_of(stack, topics.CODES_ISSUED.name, requests[2].customer_id)
    assert [b"not_posted" in (one.value or b"") for one in found] == [True, True, False]


async def test_codes_on_request_are_added_to_a_batch(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    """After those that were posted: in the chunks, the numbers, the export and on paper."""
    emission_id, customers = new_id("e"), [new_id("c") for _ in range(3)]
    body = {"emission_id": emission_id, "name": "Batch", "kind": "personal", "count": 1_001}
    ok(await client.post("/v1/emissions", json=body | {"customers": customers}), 201)
    await post_emission(client, emission_id)
    later = (clock.now() + 48 * HOUR).replace(microsecond=0)
    first = [a_request(emission_id, valid_until=later) for _ in range(3)]
    second = [a_request(emission_id, valid_until=later + HOUR)]
    codes = [one.code for one in await issued(stack, *first)]
    codes += [one.code for one in await issued(stack, *second)]

    chunks = [chunk for _, chunk in await published(stack, topics.CODES, emission_id)]
    assert [one.chunk for one in chunks] == list(range(1, len(chunks) + 1))
    assert [one.valid_until for one in chunks[:2]] == [None, None]
    requested = [holder for one in chunks[2:] for holder in one.holders]
    assert sorted(map(str, requested)) == sorted(one.customer_id for one in [*first, *second])
    assert {one.valid_until for one in chunks[2:]} == {later, later + HOUR}

    path = f"/v1/emissions/{emission_id}/codes"
    pages: list[list[Json]] = []
    after: int | None = 0
    while after is not None:
        page = ok(await client.get(path, params={"format": "json", "after": after, "limit": 334}))
        assert page["total"] == 1_005
        pages.append(page["items"])
        after = page["next"]
    given = [one for items in pages for one in items]
    assert [len(items) for items in pages] == [334, 334, 334, 3]
    assert [one["number"] for one in given] == list(range(1, 1_006))
    assert sorted(one["code"] for one in given[1_001:]) == sorted(map(str, codes))
    assert given[1_000]["valid_until"] is None
    rows = await rows_of(client, emission_id)
    assert [(row["code"], row["customer_id"]) for row in rows] == [
        (one["code"], one["customer_id"] or "") for one in given
    ]
    assert [row["customer_id"] for row in rows[:3]] == customers
    asked: Json = {"from": 1_001, "count": 24, "time_zone": "UTC"}
    sheet = Sheet((await client.get(f"{path}/sheet", params=asked)).text)
    assert sheet.said["code"] == [one["code"] for one in given[1_000:]]
    assert len(sheet.said["validity"]) == 4  # the batch has no end of its own


async def test_codes_get_longer_before_they_can_be_guessed(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    emission_id = new_id("e")
    body = {"emission_id": emission_id, "name": "Short", "kind": "personal"}
    made = {"count": 3_873, "pattern": "S-######"}
    ok(await client.post("/v1/emissions", json=body | made), 201)
    await post_emission(client, emission_id)
    [last] = await issued(stack, a_request(emission_id))
    [first, second] = await issued(stack, a_request(emission_id), a_request(emission_id))
    assert [len(one.code or "") for one in (last, first, second)] == [8, 9, 9]


async def test_a_campaign_starts_with_codes_that_are_yet_to_be_asked_for(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    emission_id = await on_request(client)
    instrument = instrument_of(emission_id)
    plan = plan_of(instrument)
    ok(await client.post("/v1/instruments", json=instrument), 201)
    ok(await client.post("/v1/campaigns", json=plan), 201)
    path = f"/v1/campaigns/{plan['campaign_id']}"
    ok(await client.post(f"{path}/start"))
    await issued(stack, a_request(emission_id))
    # Codes on request are never waited for: the campaign goes on while they are on their way.
    ok(await client.post(f"{path}/pause"))
    states = [state for _, state in await published(stack, topics.CAMPAIGNS, plan["campaign_id"])]
    assert [state.emissions[0].posted_codes for state in states] == [0, 0]
    ok(await client.post(f"{path}/finish"))


async def test_a_till_takes_the_code_of_its_customer_only(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    """From the request to the receipt: the whole way of a personal offer."""
    [store_id] = await shop.open_store(stack)
    emission_id = await on_request(client)
    instrument = instrument_of(emission_id)
    instrument["conditions"][1] |= {"own": True}
    await shop.run_campaign(stack, [instrument], stores=[store_id])
    request = a_request(emission_id, valid_until=clock.now() + HOUR / 2)
    [answer] = await issued(stack, request)
    code, mine = str(answer.code), request.customer_id

    async def decided(
        till: httpx.AsyncClient, customer_id: str, intent: str, **values: Any
    ) -> Json:
        cart = a_cart(store_id, 30_000, codes=[code], customer_id=customer_id, **values)
        path = "quotes" if intent == "quote" else "checkouts"
        body = cart.model_dump(mode="json", exclude_none=True) | {"intent": intent}
        return ok(await till.post(f"/v1/{path}", json=body)) | {"receipt": cart.receipt_id}

    async with shop.client(stack, "evaluator") as till:

        async def known() -> bool:
            return not (await decided(till, mine, "quote")).get("unknown_codes")

        await until(known, what="the evaluator knows the code")
        others = await decided(till, new_id("c"), "checkout")
        assert others.get("applied", []) == []
        over = await decided(till, mine, "checkout", occurred_at=answer.valid_until)
        assert over.get("applied", []) == []
        assert [one["reason"] for one in over["unused_codes"]] == ["code_not_valid"]
        last = answer.valid_until - timedelta(seconds=1)
        assert (await decided(till, mine, "quote", occurred_at=last))["applied"]
        own = await decided(till, mine, "checkout")
        assert [one["discount"] for one in own["applied"]] == [3_000]
        ok(await till.post(f"/v1/checkouts/{own['receipt']}/confirm"))
        again = await decided(till, mine, "checkout")
        assert again.get("applied", []) == []  # personal codes are used once, for life


async def test_the_history_says_once_a_day_that_codes_are_made_on_request(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    emission_id = await on_request(client)
    for _ in range(4):
        await issued(stack, a_request(emission_id))
    history = ok(await client.get(f"/v1/emissions/{emission_id}/history"))["items"]
    issues = [one for one in history if one["action"] == "issued"]
    assert 1 <= len(issues) <= 2  # two if midnight came between
    assert issues[-1]["by"] == "tillstream"
    changes = {one["field"]: (one["before"], one["after"]) for one in issues[-1]["changes"]}
    assert changes["requested_codes"] == (None, 1)


async def test_a_kill_loses_no_request_and_makes_no_second_code(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    emission_id = await on_request(client)
    requests = [a_request(emission_id) for _ in range(6_000)]
    connection = await asyncpg.connect(stack.database("emission"))

    async def made() -> int:
        return int(
            await connection.fetchval(
                "select requested_codes from emissions where emission_id = $1", emission_id
            )
        )

    await ask(stack, requests)
    await until(made, what="the first codes")
    pid = stack.pid("emission")
    os.kill(pid, signal.SIGKILL)
    assert await made() < len(requests), "all made before it could be killed: ask for more"
    found = await answers(stack, {one.request_id for one in requests}, within_s=120)
    codes = {one.code for one in found.values()}
    assert None not in codes
    assert len(codes) == len(requests) == await made()
    await connection.close()
    rows = await rows_of(client, emission_id)
    assert {(row["code"], row["customer_id"]) for row in rows} == {
        (one.code, one.customer_id) for one in found.values()
    }
    chunks: dict[int, set[str]] = {}
    for _, chunk in await published(stack, topics.CODES, emission_id):
        chunks.setdefault(chunk.chunk, set()).add(chunk.model_dump_json())
    assert {len(contents) for contents in chunks.values()} == {1}
    assert all(second == first + 1 for first, second in pairwise(sorted(chunks)))


async def test_answers_are_forgotten_after_a_month(emission_tables: asyncpg.Pool) -> None:
    now = clock.now()
    async with emission_tables.acquire() as connection:
        for age, request_id in ((KEPT_FOR + HOUR, "old"), (KEPT_FOR - HOUR, "young")):
            kept = [Answered(request_id, "c", b"sha", b"answer")]
            await store.keep_answers(connection, kept, now - age)
        assert await Retention(emission_tables, lambda: now).forget_some() == 1
        assert (await store.answered(connection, ["old", "young"])).keys() == {"young"}


async def test_no_table_has_a_code_in_plain_text(client: httpx.AsyncClient, stack: Stack) -> None:
    emission_id = await on_request(client)
    request = a_request(emission_id)
    [answer] = await issued(stack, request)
    connection = await asyncpg.connect(stack.database("emission"))
    kept = (await store.answered(connection, [request.request_id]))[request.request_id]
    number = await connection.fetchval(
        "select number from emissions where emission_id = $1", emission_id
    )
    [code] = await store.codes(connection, number, 0, 10)
    await connection.close()
    cipher = CodeCipher.of(stack.secrets.code_cipher_key)
    assert answer.code is not None
    for ciphertext in (kept.answer, code.ciphertext):
        assert answer.code.encode() not in ciphertext
    assert cipher.decrypt(code.ciphertext, f"{emission_id} requested", 1) == [answer.code]
    # Moved to another number it is nothing.
    with pytest.raises(InvalidTag):
        cipher.decrypt(code.ciphertext, f"{emission_id} requested", 2)
