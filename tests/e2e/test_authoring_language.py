"""Every kind of condition and benefit of the language can be edited, each field by a field."""

import json
import secrets
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from deploy.local.stack import Stack
from services.emission.examples import BENEFITS, CONDITIONS
from services.emission.language import as_json
from shared import clock
from shared.web.auth import sign
from tests.e2e.authoring import MARKETER, complaints, field
from tests.e2e.visitor import visiting
from tests.integration.emission import ok

PERCENT = {"kind": "percent_off", "percent": 1000}


def leaves(value: Any, path: str) -> Iterator[str]:
    """The paths of all that is no list and no object."""
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, each in pairs:
            yield from leaves(each, f"{path}.{key}")
    else:
        yield path


async def fields_of(page: Page) -> set[str]:
    """The paths that fields of the form are bound to."""
    found = page.locator("[data-field], .kind")
    bound = await found.evaluate_all(
        "(all) => all.map((one) => one.dataset.field ?? `${one.closest('li').dataset.part}.kind`)"
    )
    return set(bound)


def unbound(paths: Iterator[str], fields: set[str]) -> list[str]:
    """The paths that no field is for; one for a list is for all that is in it."""
    return [
        path
        for path in paths
        if not any(path == one or path.startswith(f"{one}.") for one in fields)
    ]


@pytest.mark.parametrize(
    ("conditions", "benefit"),
    [
        pytest.param([as_json(one.part) for one in CONDITIONS], PERCENT, id="conditions"),
        *(pytest.param([], as_json(one.part), id=one.part.kind) for one in BENEFITS),
    ],
)
async def test_every_field_of_the_language_has_a_field(
    browser: Browser, stack: Stack, conditions: list[Any], benefit: dict[str, Any]
) -> None:
    login = f"marketer-{secrets.token_hex(4)}"
    token = sign(
        stack.secrets.signing_key, f"user:{login}", MARKETER, timedelta(hours=1), clock.now()
    )
    typed = {"name": "All of it", "conditions": conditions, "benefit": benefit}
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=stack.url("emission"), headers=headers) as client:
        ok(await client.put("/v1/drafts/instrument/new", json={"body": typed}))
        async with visiting(browser, stack, MARKETER, login=login) as visitor:
            page = visitor.page
            await page.goto(f"{stack.url('emission')}/instruments/new")
            await expect(field(page, "Name")).to_have_value("All of it")
            await page.locator("details.products").evaluate_all(
                "(all) => all.forEach((one) => { one.open = true; })"
            )
            fields = await fields_of(page)
            assert unbound(leaves(conditions, "conditions"), fields) == []
            assert unbound(leaves(benefit, "benefit"), fields) == []
            # To look is not to change.
            kept = ok(await client.get("/v1/drafts/instrument/new"))["body"]
            assert json.dumps(kept, sort_keys=True) == json.dumps(typed, sort_keys=True)
            assert complaints(visitor) == []
