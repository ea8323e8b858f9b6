"""The published language: whole, valid, and readable from earlier versions."""

import json
from datetime import timedelta
from typing import Any, get_args

import pytest
from httpx import ASGITransport, AsyncClient
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError
from pydantic import TypeAdapter

from services.emission.app import compose
from services.emission.campaigns import CampaignPlan
from services.emission.examples import BENEFITS, CONDITIONS, INSTRUMENTS, Example
from services.emission.language import as_json, schema
from services.emission.validation import faults_of_definition
from shared.codec import InvalidMessageError, decode, encode
from shared.events.benefits import Benefit, PercentOff
from shared.events.conditions import Condition
from shared.events.promotion import Campaign, Instrument
from shared.web.auth import Scope, sign
from tests.unit.emission.test_http import _settings as settings
from tests.unit.web.tokens import NOW, keys

VALIDATOR = Draft202012Validator(schema())


def kinds_of(union: Any) -> list[str]:
    """The kinds of a union of the language."""
    members = get_args(get_args(union)[0])
    return [member.model_fields["kind"].default for member in members]


def instrument_of(part: Any) -> Instrument:
    """An instrument with the condition, or the benefit."""
    is_condition = part.kind in kinds_of(Condition)
    return Instrument(
        instrument_id="i1",
        name="example",
        conditions=(part,) if is_condition else (),
        benefit=PercentOff(percent=1_000) if is_condition else part,
    )


@pytest.mark.parametrize(
    ("union", "examples"),
    [(Condition, CONDITIONS), (Benefit, BENEFITS)],
    ids=["conditions", "benefits"],
)
def test_every_kind_has_exactly_one_example(union: Any, examples: tuple[Example, ...]) -> None:
    assert [one.part.kind for one in examples] == kinds_of(union)


def test_no_two_examples_say_the_same() -> None:
    sentences = [one.says for one in (*CONDITIONS, *BENEFITS)]
    assert len(set(sentences)) == len(sentences)
    assert all(sentence.endswith(".") for sentence in sentences)


@pytest.mark.parametrize("example", [*CONDITIONS, *BENEFITS], ids=lambda one: one.part.kind)
def test_an_example_is_valid_for_everybody_who_judges(example: Example) -> None:
    union: Any = Condition if example in CONDITIONS else Benefit
    written = as_json(example.part)
    assert TypeAdapter(union).validate_json(json.dumps(written)) == example.part
    instrument = instrument_of(example.part)
    VALIDATOR.validate(as_json(instrument))
    assert faults_of_definition(instrument) == []


@pytest.mark.parametrize(
    "instrument", [one for _, one in INSTRUMENTS], ids=lambda i: i.instrument_id
)
def test_the_worked_instruments_are_valid_for_everybody_who_judges(instrument: Instrument) -> None:
    written = as_json(instrument)
    VALIDATOR.validate(written)
    assert decode(Instrument, json.dumps(written).encode()) == instrument
    assert faults_of_definition(instrument) == []


def test_the_schema_carries_every_example() -> None:
    definitions = schema()["$defs"]
    for one in (*CONDITIONS, *BENEFITS):
        assert definitions[type(one.part).__name__]["examples"] == [as_json(one.part)]


def test_the_schema_is_valid_and_its_own_examples_are() -> None:
    document = schema()
    Draft202012Validator.check_schema(document)
    for name, part in document["$defs"].items():
        within = Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": document["$defs"]})
        for example in part.get("examples", []):
            within.validate(example)


BODY: dict[str, Any] = {
    "instrument_id": "i1",
    "name": "10% off",
    "benefit": {"kind": "percent_off", "percent": 1000},
}


@pytest.mark.parametrize(
    "fields",
    [
        {"conditions": [{"kind": "horoscope"}]},
        {"conditions": [{"methods": ["cash"]}]},  # which kind?
        {"conditions": [{"kind": "receipt_total", "compare": {"op": "~", "value": 1}}]},
        {"conditions": [{"kind": "not", "condition": {"kind": "weekday", "days": ["someday"]}}]},
        {"benefit": {"kind": "percent_off", "percent": 20_000}},
        {"benefit": {"kind": "percent_off", "percent": 12.5}},
        {"processing_period": {"kind": "lunar"}},
        {"limits": [{"per": ["planet"], "redemptions": 1}]},
        {"colour": "red"},
    ],
)
def test_the_schema_and_the_models_refuse_the_same(fields: dict[str, Any]) -> None:
    VALIDATOR.validate(BODY)
    with pytest.raises(ValidationError):
        VALIDATOR.validate(BODY | fields)
    with pytest.raises(ValueError, match=r"."):
        decode(Instrument, json.dumps(BODY | fields).encode())


@given(
    st.lists(st.sampled_from(CONDITIONS), max_size=1),
    st.sampled_from(BENEFITS),
    st.integers(-1000, 1000),
)
def test_whatever_is_built_from_the_examples_is_accepted(
    conditions: list[Example], benefit: Example, priority: int
) -> None:
    instrument = Instrument.model_validate(
        {
            "instrument_id": "i1",
            "name": "built",
            "conditions": tuple(one.part for one in conditions),
            "benefit": benefit.part,
            "priority": priority,
        }
    )
    VALIDATOR.validate(as_json(instrument))
    assert faults_of_definition(instrument) == []


def _token(*scopes: Scope) -> dict[str, str]:
    token = sign(keys().private_pem, "author", scopes, timedelta(hours=1), NOW)
    return {"Authorization": f"Bearer {token}"}


async def test_readers_of_campaigns_get_the_language() -> None:
    transport = ASGITransport(compose(settings(), lambda: NOW))
    async with AsyncClient(transport=transport, base_url="http://emission") as client:
        assert (await client.get("/v1/language")).status_code == 401
        refused = await client.get("/v1/language", headers=_token("statistics:read"))
        assert refused.status_code == 403
        answer = await client.get("/v1/language", headers=_token("campaigns:read"))
    assert answer.status_code == 200
    body = answer.json()
    assert body["schema"] == schema()
    assert [one["kind"] for one in body["conditions"]] == kinds_of(Condition)
    assert [one["kind"] for one in body["benefits"]] == kinds_of(Benefit)
    (total, *_) = body["conditions"]
    assert total["example"] == {"kind": "receipt_total", "compare": {"op": ">=", "value": 30000}}
    assert total["says"] == "The receipt comes to 300.00 or more."


# As issue 3 wrote them: into emission's table, and to promo.campaigns.v1.
EARLIER_INSTRUMENT = b"""{"instrument_id":"welcome","name":"10% off","conditions":[
    {"kind":"receipt_total","compare":{"op":">=","value":30000}},
    {"kind":"promo_code","condition_id":"code","emission_id":"e1","cap":1000},
    {"kind":"product_quantity","products":{"skus":[],"groups":["sweets"],"brands":["Bounty"]},
     "compare":{"op":">=","value":1000}},
    {"kind":"product_sum","products":{"skus":["chips"],"groups":[],"brands":[]},
     "compare":{"op":"between","value":100,"upper":900}},
    {"kind":"customer_group","groups":["regulars"]}],
  "benefit":{"kind":"percent_off","percent":1000,"of":"remaining",
             "products":{"skus":[],"groups":[],"brands":[]},"max_discount":5000},
  "processing_period":"campaign","trigger":"on_sale","priority":5,"include_discounted":false,
  "max_redemptions":1000}"""
EARLIER_PLAN = b"""{"campaign_id":"december","name":"December","priority":0,
  "time_zone":"Europe/Kyiv","first_day":"2026-12-05","last_day":"2026-12-31",
  "stores":["s1"],"customer_groups":[],"instruments":["welcome"]}"""
EARLIER_BENEFITS = (
    b'{"kind":"bonuses","fixed":50,"percent":500,"products":{"skus":[],"groups":[],"brands":[]}}',
    b'{"kind":"gift_goods","gifts":[{"sku":"mug","quantity":1000}]}',
)


def test_an_instrument_that_the_earlier_version_kept_is_read_and_may_be_kept_again() -> None:
    instrument = decode(Instrument, EARLIER_INSTRUMENT)
    assert instrument.max_redemptions == 1000
    assert (instrument.processing_period, instrument.stacking) == ("campaign", "combinable")
    assert (instrument.limits, instrument.repeat) == ((), None)
    assert decode(Instrument, encode(instrument)) == instrument
    assert faults_of_definition(instrument) == []


@pytest.mark.parametrize("benefit", EARLIER_BENEFITS)
def test_a_benefit_that_the_earlier_version_kept_is_read(benefit: bytes) -> None:
    body = json.loads(EARLIER_INSTRUMENT) | {"benefit": json.loads(benefit)}
    instrument = decode(Instrument, json.dumps(body).encode())
    assert instrument.benefit.kind == json.loads(benefit)["kind"]
    assert faults_of_definition(instrument) == []


def test_a_plan_that_the_earlier_version_kept_holds_nobody_back_and_limits_nothing() -> None:
    plan = decode(CampaignPlan, EARLIER_PLAN)
    assert (plan.segments, plan.control_group, plan.limits) == ((), 0, ())


def test_a_campaign_that_the_earlier_version_published_is_read() -> None:
    published = {
        "campaign_id": "december",
        "version": 3,
        "name": "December",
        "status": "running",
        "priority": 0,
        "time_zone": "Europe/Kyiv",
        "starts_at": "2026-12-04T22:00:00Z",
        "ends_at": "2026-12-31T22:00:00Z",
        "stores": ["s1"],
        "customer_groups": [],
        "instruments": [json.loads(EARLIER_INSTRUMENT)],
        "emissions": [
            {"emission_id": "e1", "kind": "mass", "single_use": False, "posted_codes": 1}
        ],
    }
    campaign = decode(Campaign, json.dumps(published).encode())
    assert campaign.instruments == (decode(Instrument, EARLIER_INSTRUMENT),)
    assert (campaign.segments, campaign.control_group, campaign.limits) == ((), 0, ())


def _body(conditions: str) -> bytes:
    return (json.dumps(BODY)[:-1] + f', "conditions": [{conditions}]}}').encode()


LEAF = '{"kind": "first_purchase"}'


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ('{"kind": "not", "condition": ' * 6 + LEAF + "}" * 6, "nested deeper than 6"),
        ('{"kind": "not", "condition": ' * 100_000 + LEAF + "}" * 100_000, "Invalid JSON"),
        (", ".join([LEAF] * 101), "at most 100 items"),
        (
            ", ".join(['{"kind": "any", "conditions": [' + ", ".join([LEAF] * 50) + "]}"] * 2),
            "more than 100 conditions",
        ),
    ],
    ids=["deep", "very deep", "many", "many within"],
)
def test_huge_definitions_are_refused_with_what_is_too_much(conditions: str, message: str) -> None:
    with pytest.raises(InvalidMessageError, match=message):
        decode(Instrument, _body(conditions))


def test_definitions_as_deep_and_long_as_allowed_are_read_and_judged() -> None:
    deep = '{"kind": "not", "condition": ' * 5 + LEAF + "}" * 5
    long = '{"kind": "any", "conditions": [' + ", ".join([LEAF] * 93) + "]}"
    instrument = decode(Instrument, _body(f"{deep}, {long}"))
    VALIDATOR.validate(as_json(instrument))
    assert {fault.code for fault in faults_of_definition(instrument)} == {"never"}
