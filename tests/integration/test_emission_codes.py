"""Codes that leave: page by page, on paper, and a million of them in a stream."""

import re
import tracemalloc
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from deploy.local.stack import Stack
from services.emission import export
from services.emission.cipher import CodeCipher
from services.emission.store import emissions as emission_store
from shared import database
from tests.integration.emission import faulty_fields, mass, new_id, new_word, ok, post

Json = dict[str, Any]


async def batch(client: httpx.AsyncClient, **fields: Any) -> str:
    """A posted batch of personal codes."""
    body = {"emission_id": new_id("e"), "name": "Winter <sale>", "kind": "personal"} | fields
    ok(await client.post("/v1/emissions", json=body), 201)
    await post(client, str(body["emission_id"]))
    return str(body["emission_id"])


async def exported(client: httpx.AsyncClient, emission_id: str) -> list[str]:
    text = (await client.get(f"/v1/emissions/{emission_id}/codes")).text
    return text.splitlines()[1:]


async def test_codes_are_read_page_by_page(client: httpx.AsyncClient) -> None:
    customers = [f"c-{n}" for n in range(1_001)]
    emission_id = await batch(client, count=2_500, customers=customers)
    path = f"/v1/emissions/{emission_id}/codes"
    found: list[Json] = []
    after: int | None = 0
    while after is not None:
        page = ok(await client.get(path, params={"format": "json", "after": after, "limit": 999}))
        found += page["items"]
        after = page["next"]
    assert page["total"] == 2_500
    assert [one["number"] for one in found] == list(range(1, 2_501))
    lines = [f"{one['code']},{one['customer_id'] or ''}" for one in found]
    assert lines == await exported(client, emission_id)
    beyond = ok(await client.get(path, params={"format": "json", "after": 2_500}))
    assert (beyond["items"], beyond["next"]) == ([], None)
    taken = ok(await client.get("/v1/changes", params={"id": emission_id, "action": "exported"}))
    assert [one["detail"]["codes"] for one in taken["items"]] == [2_500, 502, 999, 999]


class Sheet(HTMLParser):
    """The tags of a page, and what is written in those of a class."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said: dict[str, list[str]] = {}
        self._class = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._class = dict(attrs).get("class") or tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.said.setdefault(self._class, []).append(data.strip())


async def test_a_sheet_shows_codes_to_cut_out(client: httpx.AsyncClient) -> None:
    until = "2096-12-31T22:00:00Z"
    emission_id = await batch(client, count=30, valid_until=until)
    path = f"/v1/emissions/{emission_id}/codes/sheet"
    asked: Json = {"from": 3, "count": 5, "time_zone": "Europe/Kyiv", "language": "uk"}
    answer = await client.get(path, params=asked)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-store"
    sheet = Sheet(answer.text)
    assert sheet.said["code"] == (await exported(client, emission_id))[2:7]
    assert set(sheet.said["name"]) == {"Winter <sale>"}
    assert set(sheet.said["validity"]) == {"Діє до 31 грудня 2096\u202fр."}
    assert [tag for tag, _ in sheet.tags].count("svg") == 5
    # Nothing that the policy would refuse: neither styles nor scripts but from our assets.
    assert "style-src 'self'" in answer.headers["content-security-policy"]
    assert not [
        tag for tag, fields in sheet.tags if tag in {"script", "style"} or "style" in fields
    ]
    [style] = [fields["href"] for tag, fields in sheet.tags if fields.get("rel") == "stylesheet"]
    assert (await client.get(str(style))).headers["content-type"].startswith("text/css")
    refused: list[tuple[Json, str]] = [
        ({"from": 31}, "from"),
        ({"count": 481}, "count"),
        ({"address": "javascript:alert(1)"}, "address"),
        ({"time_zone": "Kyiv"}, "time_zone"),
    ]
    for query, field in refused:
        assert faulty_fields(await client.get(path, params=query), 422) == [field]
    taken = ok(await client.get("/v1/changes", params={"id": emission_id, "action": "exported"}))
    assert [one["detail"]["codes"] for one in taken["items"]] == [30, 5]


async def test_a_word_is_a_poster(client: httpx.AsyncClient) -> None:
    word = mass(new_word(), name="Welcome")
    ok(await client.post("/v1/emissions", json=word), 201)
    path = f"/v1/emissions/{word['emission_id']}/codes/sheet"
    assert faulty_fields(await client.get(path), 409) == ["status"]
    await post(client, word["emission_id"])
    plain = (await client.get(path)).text
    leading = (await client.get(path, params={"address": "https://shop.example/"})).text
    sheet = Sheet(plain)
    assert sheet.said["code"] == [word["word"]]
    assert ("body", {"class": "poster"}) in sheet.tags
    drawn = [re.findall(r'<path[^>]* d="([^"]+)"', text) for text in (plain, leading)]
    assert len(drawn[0]) == len(drawn[1]) == 1
    assert drawn[0] != drawn[1]


@pytest.mark.slow
async def test_a_million_codes_leave_in_a_stream(client: httpx.AsyncClient, stack: Stack) -> None:
    """15 MB leave, of which never a third is in memory: however many more they were, it stays so."""
    codes = 1_000_000
    emission_id = await batch(client, count=codes)
    cipher = CodeCipher.of(stack.secrets.code_cipher_key)
    async with await database.pool(stack.database("emission"), size=1) as pool:
        async with pool.acquire() as connection:
            row = await emission_store.emission(connection, emission_id, cipher)
        assert row is not None
        size = lines = largest = 0
        tracemalloc.start()
        try:
            async for block in export.table(pool, cipher, row):
                size += len(block)
                lines += block.count(b"\n")
                largest = max(largest, len(block))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert lines == codes + 1
    assert size == len("code\r\n") + codes * len("XXXX-XXXX-XXXX\r\n")
    assert largest < 20_000
    assert peak < size / 3
    received = 0
    async with client.stream("GET", f"/v1/emissions/{emission_id}/codes", timeout=120) as answer:
        async for part in answer.aiter_raw():
            received += len(part)
    assert received == size
