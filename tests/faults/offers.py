"""What a run promises: a campaign of its own in stores of its own, with every kind of limit, small."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from deploy.local.stack import Stack
from tests.integration import emission, shop

STORES = 2
CUSTOMERS = 6
CODES = 10

CAP_OF_WORD = 15
FIRST = 15
FIRST_FROM = 20_000
LEAST = {
    "word": 30_000,
    "personal": 1,
    "first": FIRST_FROM,
    "budget": 1,
    "thrice": 10_000,
    "points": 5_000,
}
"""What a receipt's total must be (of ``budget``, its snacks) to earn each (minor units)."""
BUDGET = 10_000
TIMES_A_CUSTOMER = 3

SNACKS = "snacks"
GROUPS = (SNACKS, "drinks", "bread")


@dataclass(frozen=True)
class Offers:
    """A run's campaign. ``caps`` are those authored, by limit id; ``per_customer`` by its prefix.

    ``probes`` is a store of its own, at which the time to the first commit is taken.
    """

    run: str
    stores: tuple[str, ...]
    probes: str
    campaign_id: str
    word: str
    codes: tuple[str, ...]
    customers: tuple[str, ...]
    caps: Mapping[str, int]
    per_customer: str

    def instrument(self, name: str) -> str:
        """The id of the instrument called so."""
        return f"{self.run}-{name}"

    def cap(self, limit_id: str) -> int | None:
        """The cap that was authored; None for a limit that no one authored."""
        if limit_id.startswith(self.per_customer):
            return TIMES_A_CUSTOMER
        if limit_id.startswith("code:"):
            return 1
        return self.caps.get(limit_id)


async def author(stack: Stack, run: str) -> Offers:
    """Author and start the campaign of a run, and wait until it is in force."""
    *stores, probes = await shop.open_store(stack, STORES + 1)
    word = emission.new_word()
    word_emission = await shop.post_word(stack, word)
    code_emission, codes = await _personal_codes(stack)
    instruments = _instruments(run, word_emission, code_emission)
    campaign_id = await shop.run_campaign(stack, instruments, stores=[*stores, probes])
    prefix = f"{campaign_id}/{run}"
    return Offers(
        run=run,
        stores=tuple(stores),
        probes=probes,
        campaign_id=campaign_id,
        word=word,
        codes=tuple(codes),
        customers=tuple(f"{run}-c{n}" for n in range(CUSTOMERS)),
        caps={
            f"{prefix}-word/code": CAP_OF_WORD,
            f"{prefix}-first": FIRST,
            f"{prefix}-budget/~money": BUDGET,
        },
        per_customer=f"{prefix}-thrice/~customer=",
    )


def _instruments(run: str, word: str, codes: str) -> Sequence[dict[str, Any]]:
    snacks = {"groups": [SNACKS]}
    return [
        _instrument(
            f"{run}-word",
            [_total("word"), {"kind": "promo_code", "emission_id": word, "cap": CAP_OF_WORD}],
            {"kind": "percent_off", "percent": 1_000},
        ),
        _instrument(
            f"{run}-personal",
            [{"kind": "promo_code", "emission_id": codes}],
            {"kind": "amount_off", "amount": 500},
        ),
        _instrument(
            f"{run}-first",
            [_total("first")],
            {"kind": "amount_off", "amount": 100},
            max_redemptions=FIRST,
            on_return="keep",
        ),
        _instrument(
            f"{run}-budget",
            [
                {
                    "kind": "product_sum",
                    "products": snacks,
                    "compare": {"op": ">=", "value": LEAST["budget"]},
                }
            ],
            {"kind": "percent_off", "percent": 2_000, "products": snacks},
            limits=[{"money": BUDGET}],
        ),
        _instrument(
            f"{run}-thrice",
            [_total("thrice")],
            {"kind": "amount_off", "amount": 200},
            limits=[{"per": ["customer"], "redemptions": TIMES_A_CUSTOMER}],
        ),
        _instrument(
            f"{run}-points", [_total("points")], {"kind": "bonuses", "percent": 500, "fixed": 10}
        ),
    ]


def _total(name: str) -> dict[str, Any]:
    return {"kind": "receipt_total", "compare": {"op": ">=", "value": LEAST[name]}}


def _instrument(
    instrument_id: str,
    conditions: Sequence[dict[str, Any]],
    benefit: dict[str, Any],
    **more: Any,
) -> dict[str, Any]:
    return {
        "instrument_id": instrument_id,
        "name": instrument_id,
        "conditions": conditions,
        "benefit": benefit,
        **more,
    }


async def _personal_codes(stack: Stack) -> tuple[str, list[str]]:
    """An emission of personal codes, and the codes: each may be used once, for life."""
    emission_id = emission.new_id("e")
    body = {"emission_id": emission_id, "name": "codes", "kind": "personal", "count": CODES}
    async with shop.client(stack, "emission") as author_:
        emission.ok(await author_.post("/v1/emissions", json=body), httpx.codes.CREATED)
        await emission.post(author_, emission_id)
        exported = await author_.get(f"/v1/emissions/{emission_id}/codes")
    assert exported.status_code == httpx.codes.OK, exported.text
    return emission_id, exported.text.split()[1:]
