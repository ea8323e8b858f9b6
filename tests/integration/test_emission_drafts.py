"""What somebody is typing: kept as it stands, for who types it only, and not for ever."""

from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx

from deploy.local.stack import Stack
from services.emission.cipher import CodeCipher
from services.emission.drafts import MOST, Drafts, NewDraft
from services.emission.store.drafts import Form
from shared import clock, database
from tests.integration.emission import faulty_fields, new_id, new_word, ok
from tests.integration.test_emission_history import as_user


async def test_a_draft_is_what_was_typed_and_its_owners_alone(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    anna, borys = as_user(stack, new_id("anna")), as_user(stack, new_id("borys"))
    path = f"/v1/drafts/emission/{new_id('e')}"
    body: dict[str, Any] = {
        "name": "Ве\x00сна 🌸",
        "count": 10**30,
        "rows": [{}, None, 1.5],
    }
    assert faulty_fields(await client.get(path, headers=anna), 404) == ["id"]
    kept = ok(await client.put(path, json={"body": {}}, headers=anna))
    kept = ok(await client.put(path, json={"body": body}, headers=anna))
    view = ok(await client.get(path, headers=anna))
    assert view == kept | {"body": body}
    lasts = datetime.fromisoformat(view["expires_at"]) - datetime.fromisoformat(view["changed_at"])
    assert lasts == timedelta(days=90)
    assert (await client.get(path, headers=borys)).status_code == 404
    assert (await client.delete(path, headers=borys)).status_code == 404
    assert ok(await client.get("/v1/drafts", headers=borys)) == {"items": []}
    assert ok(await client.get("/v1/drafts", headers=anna)) == {"items": [kept]}
    assert (await client.delete(path, headers=anna)).status_code == 204
    assert (await client.get(path, headers=anna)).status_code == 404


async def test_a_word_that_is_being_typed_is_in_no_table_in_plain_text(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    word = new_word()
    ok(await client.put(f"/v1/drafts/emission/{new_id('e')}", json={"body": {"word": word}}))
    connection = await asyncpg.connect(stack.database("emission"))
    try:
        bodies = [row["body"] for row in await connection.fetch("select body from drafts")]
    finally:
        await connection.close()
    assert bodies
    assert not any(word.encode() in body for body in bodies)


async def test_a_draft_has_a_largest_size(client: httpx.AsyncClient) -> None:
    path = f"/v1/drafts/campaign/{new_id('c')}"
    small = {"body": {"comment": "x" * 262_000}}
    ok(await client.put(path, json=small))
    large = {"body": {"comment": "x" * 263_000}}
    assert (await client.put(path, json=large)).status_code == 413
    assert ok(await client.get(path))["body"] == small["body"]


async def test_drafts_end_after_90_days_and_give_way_to_newer_ones(stack: Stack) -> None:
    cipher = CodeCipher.of(stack.secrets.code_cipher_key)
    owner, today = f"user:{new_id('u')}", clock.now()
    async with await database.pool(stack.database("emission"), size=1) as pool:

        def on(day: int) -> Drafts:
            return Drafts(pool, cipher, lambda: today + timedelta(days=day))

        form = Form(owner, "campaign", "c-1")
        await on(0).keep(form, NewDraft(body={"name": "x"}))
        assert await on(89).draft(form) is not None
        assert await on(91).draft(form) is None
        assert await on(91).drafts(owner) == []
        for n in range(MOST):
            await on(1).keep(Form(owner, "instrument", f"i-{n}"), NewDraft(body={}))
        assert await on(1).draft(form) is None
        assert len(await on(1).drafts(owner)) == MOST
