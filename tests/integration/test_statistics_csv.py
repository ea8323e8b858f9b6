"""The statistics as tables for spreadsheets."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.statistics import DAY, Api, opened


@pytest.fixture
async def api(dsn: str) -> AsyncIterator[Api]:
    async with opened(dsn) as made:
        yield made


@pytest.mark.parametrize(
    ("path", "first"),
    [
        ("totals", "Time"),
        ("series", "Time (UTC)"),
        ("by/store", "Id"),
        ("campaigns", "Campaign id"),
        ("instruments", "Campaign id"),
        ("codes", "Emission of the code"),
        ("refusals", "Reason"),
    ],
)
async def test_every_table_is_also_csv(api: Api, path: str, first: str) -> None:
    await api.sold()
    await api.used(carts=2, activations=1)
    await api.refused("code_missing", 1)
    answer = await api.client.get(f"/v1/statistics/{path}", params={**DAY, "format": "csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    header, row = answer.text.splitlines()[:2]
    assert header.split(",")[0] == first
    assert len(row.split(",")) == len(header.split(","))


async def test_a_table_as_csv_has_all_rows_unless_fewer_are_asked_for(api: Api) -> None:
    for number in range(120):
        await api.sold(store=f"s{number}")
    asked = {**DAY, "format": "csv"}
    answer = await api.client.get("/v1/statistics/by/store", params=asked)
    assert len(answer.text.splitlines()) == 121
    answer = await api.client.get("/v1/statistics/by/store", params={**asked, "limit": "5"})
    assert len(answer.text.splitlines()) == 6
