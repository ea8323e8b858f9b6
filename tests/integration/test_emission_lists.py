"""Lists as the console reads them, and instruments that are tried before they are kept."""

from typing import Any

import httpx
import pytest

from tests.integration.emission import (
    a_store,
    faulty_fields,
    instrument_of,
    mass,
    new_id,
    new_word,
    ok,
    plan_of,
    post,
)

Json = dict[str, Any]


async def listed(client: httpx.AsyncClient, noun: str, **query: Any) -> Json:
    return ok(await client.get(f"/v1/{noun}", params=query))


def ids(answer: Json) -> list[str]:
    """The ids of a page, in its order."""
    return [next(v for k, v in item.items() if k.endswith("_id")) for item in answer["items"]]


async def test_emissions_are_searched_filtered_and_sorted(client: httpx.AsyncClient) -> None:
    mark = new_id("x")
    bodies = [
        mass(new_word(), name=f"{mark} Весна", valid_until="2096-03-01T00:00:00Z"),
        mass(new_word(), name=f"{mark} Літо", valid_from="2096-06-01T00:00:00Z"),
        {
            "emission_id": f"{mark}-batch",
            "name": "100% OFF_a\\b",
            "kind": "personal",
            "count": 3,
        },
    ]
    for body in bodies:
        ok(await client.post("/v1/emissions", json=body), 201)
    spring, summer, batch = (body["emission_id"] for body in bodies)
    await post(client, batch)

    assert (await listed(client, "emissions", search=mark))["total"] == 3
    assert ids(await listed(client, "emissions", search=f"{mark} ВЕСНА")) == [spring]
    # What a pattern would take for anything is looked for as it is.
    assert ids(await listed(client, "emissions", search=f"{mark} 0% f_ \\")) == [batch]
    assert ids(await listed(client, "emissions", search=f"{mark} %")) == [batch]
    assert ids(await listed(client, "emissions", search=mark, kind="personal")) == [batch]
    assert ids(await listed(client, "emissions", search=mark, status=["posted", "posting"])) == [
        batch
    ]
    by_name = await listed(client, "emissions", search=mark, sort="name")
    assert ids(by_name) == [batch, spring, summer]
    turned = await listed(client, "emissions", search=mark, sort="-name", offset=1, limit=1)
    assert (ids(turned), turned["total"]) == ([spring], 3)
    until = await listed(client, "emissions", search=mark, sort="-valid_until")
    assert ids(until)[0] == spring  # what has no end comes last, whichever way
    for day, valid in [
        ("2096-02-29", {spring, batch}),
        ("2096-03-01", {batch}),
        ("2096-06-01", {summer, batch}),
    ]:
        assert set(ids(await listed(client, "emissions", search=mark, on=day))) == valid


async def test_campaigns_and_instruments_are_found_by_what_they_use(
    client: httpx.AsyncClient,
) -> None:
    store, other, word = a_store(), a_store(), mass(new_word())
    ok(await client.put("/v1/stores", json={"stores": [store, other]}))
    ok(await client.post("/v1/emissions", json=word), 201)
    nested = instrument_of() | {
        "conditions": [
            {
                "kind": "any",
                "conditions": [
                    {"kind": "first_purchase"},
                    {"kind": "promo_code", "emission_id": word["emission_id"]},
                ],
            }
        ],
        "priority": 7,
    }
    plain = instrument_of()
    for body in (nested, plain):
        ok(await client.post("/v1/instruments", json=body), 201)
    mark = new_id("x")
    here = plan_of(nested, stores=[store["store_id"]], comment=f"a\n{mark} Note", priority=2)
    everywhere = plan_of(plain, comment=mark, first_day="2096-01-01", last_day="2096-01-31")
    for plan in (here, everywhere):
        ok(await client.post("/v1/campaigns", json=plan), 201)
    one, two = here["campaign_id"], everywhere["campaign_id"]

    async def campaigns(**query: Any) -> set[str]:
        return set(ids(await listed(client, "campaigns", search=mark, **query)))

    assert await campaigns() == {one, two}
    assert ids(await listed(client, "campaigns", search=f"note {mark}")) == [one]
    assert await campaigns(store=store["store_id"]) == {one, two}
    assert await campaigns(store=other["store_id"]) == {two}
    assert await campaigns(instrument=plain["instrument_id"]) == {two}
    assert await campaigns(emission=word["emission_id"]) == {one}
    assert await campaigns(on="2096-12-05") == {one}
    assert await campaigns(on="2096-12-04") == set()
    assert await campaigns(on="2096-01-31") == {two}
    assert await campaigns(status=["running", "paused"]) == set()
    for sort, order in [("priority", [two, one]), ("-first_day", [one, two])]:
        assert ids(await listed(client, "campaigns", search=mark, sort=sort)) == order

    async def instruments(**query: Any) -> list[str]:
        return ids(await listed(client, "instruments", **query))

    assert await instruments(emission=word["emission_id"]) == [nested["instrument_id"]]
    assert await instruments(campaign=two) == [plain["instrument_id"]]
    assert await instruments(campaign=one, benefit="bonuses") == []
    assert await instruments(campaign=one, benefit=["bonuses", "percent_off"]) == [
        nested["instrument_id"]
    ]


async def test_stores_and_groups_are_found_by_name_region_and_id(
    client: httpx.AsyncClient,
) -> None:
    mark = new_id("x")
    stores = [a_store(name=f"{mark} {name}", region=f"{mark}-{name[:1]}") for name in ("Bb", "aA")]
    ok(await client.put("/v1/stores", json={"stores": stores}))
    b, a = (store["store_id"] for store in stores)
    assert ids(await listed(client, "stores", search=f"{mark} AA")) == [a]
    assert ids(await listed(client, "stores", search=mark, sort="name")) == [a, b]
    assert ids(await listed(client, "stores", region=f"{mark}-B")) == [b]
    assert ids(await listed(client, "stores", store=[b])) == [b]
    groups = [new_id("g"), new_id("g")]
    for group_id, members in zip(groups, (["c-1"], ["c-1", "c-2"]), strict=True):
        body = {"name": f"{mark} Regulars", "customers": members}
        ok(await client.put(f"/v1/customer-groups/{group_id}", json=body))
    found = await listed(client, "customer-groups", search=f"{mark} regulars", sort="-members")
    assert (ids(found), found["total"]) == ([groups[1], groups[0]], 2)
    assert ids(await listed(client, "customer-groups", group=groups[0])) == [groups[0]]


@pytest.mark.parametrize(
    ("noun", "query", "field"),
    [
        ("emissions", {"sort": "word"}, "sort"),
        ("campaigns", {"status": "gone"}, "status.0"),
        ("campaigns", {"on": "today"}, "on"),
        ("stores", {"search": "\x00"}, "search"),
        ("instruments", {"offset": -1}, "offset"),
        ("instruments", {"language": "fr"}, "language"),
    ],
)
async def test_a_list_cannot_be_asked_for_otherwise(
    client: httpx.AsyncClient, noun: str, query: Json, field: str
) -> None:
    assert faulty_fields(await client.get(f"/v1/{noun}", params=query), 422) == [field]


async def test_an_instrument_says_what_it_is_with_the_names_of_what_it_uses(
    client: httpx.AsyncClient,
) -> None:
    word = mass(new_word(), name="WELCOME")
    ok(await client.post("/v1/emissions", json=word), 201)
    body = instrument_of(word["emission_id"])
    english = "10% off the receipt from 300.00 with a code of WELCOME, first 1000"
    ukrainian = "Знижка 10% на чек від 300,00 з кодом WELCOME, перші 1000"
    checked = ok(await client.post("/v1/instruments/check", json=body))
    assert checked == {
        "sentence": english,
        "exists": False,
        "warnings": [
            {"field": "conditions.1.emission_id", "message": "the emission is not posted"}
        ],
    }
    at = f"/v1/instruments/{body['instrument_id']}"
    assert (await client.get(at)).status_code == 404  # checking keeps nothing
    assert ok(await client.post("/v1/instruments", json=body), 201)["sentence"] == english
    assert ok(await client.get(at, params={"language": "uk"}))["sentence"] == ukrainian
    await post(client, word["emission_id"])
    checked = ok(await client.post("/v1/instruments/check", json=body, params={"language": "uk"}))
    assert checked == {"sentence": ukrainian, "exists": True, "warnings": []}
    found = await listed(client, "instruments", emission=word["emission_id"], language="uk")
    assert [one["sentence"] for one in found["items"]] == [ukrainian]


async def test_an_instrument_is_checked_as_it_would_be_saved(client: httpx.AsyncClient) -> None:
    unknown = instrument_of("none-such")
    unknown["conditions"].append({"kind": "customer_group", "groups": ["none-such"]})
    checked = await client.post("/v1/instruments/check", json=unknown)
    assert faulty_fields(checked, 422) == ["conditions.1.emission_id", "conditions.2.groups.0"]
    never = instrument_of() | {
        "benefit": {"kind": "percent_off", "percent": 0},
    }
    assert faulty_fields(await client.post("/v1/instruments/check", json=never), 422) == [
        "benefit.percent"
    ]
    # In a campaign of three weeks a window of a month never ends.
    body = instrument_of()
    ok(await client.post("/v1/instruments", json=body), 201)
    ok(await client.post("/v1/campaigns", json=plan_of(body)), 201)
    window = body | {"processing_period": {"kind": "consecutive", "days": 31}}
    assert faulty_fields(await client.post("/v1/instruments/check", json=window), 422) == [
        "processing_period.days"
    ]
