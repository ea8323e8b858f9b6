"""The generated documents: as the models say, valid, and readable by the previous version."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, create_model

from deploy import contracts
from shared.codec import encode
from shared.events.outcome import Decision
from shared.topics import CARTS, TOPICS, Topic
from tests import builders
from tests.contract.compatibility import problems

ROOT = contracts.DOCS.parent
RELEASED = Path(__file__).parent / "released"
_PARSE = """
import fs from "node:fs";
import { Parser } from "@asyncapi/parser";
const { document, diagnostics } = await new Parser().parse(fs.readFileSync(0, "utf8"));
const errors = diagnostics.filter((d) => d.severity === 0).map((d) => `${d.path.join(".")}: ${d.message}`);
console.log(JSON.stringify({ errors, channels: document?.channels().all().map((c) => c.address()) }));
"""


@pytest.mark.parametrize(
    ("path", "text"), [pytest.param(*one, id=str(one[0])) for one in contracts.documents().items()]
)
def test_the_documents_are_as_the_models_say(path: Path, text: str) -> None:
    """When this fails: ``make contracts``, and commit what changed."""
    assert (contracts.DOCS / path).read_text() == text


def parse(document: str) -> dict[str, Any]:
    """The verdict of the AsyncAPI initiative's own parser."""
    run = subprocess.run(
        [ROOT / ".venv/bin/node", "--input-type=module", "-e", _PARSE],
        input=document,
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    verdict: dict[str, Any] = json.loads(run.stdout)
    return verdict


def test_a_real_parser_accepts_the_asyncapi_document() -> None:
    verdict = parse((contracts.DOCS / "asyncapi.yaml").read_text())
    assert verdict["errors"] == []
    assert sorted(verdict["channels"]) == sorted(topic.name for topic in TOPICS)


def test_the_parser_would_refuse_a_broken_document() -> None:
    text = (contracts.DOCS / "asyncapi.yaml").read_text()
    assert parse(text.replace("action: send", "action: shout", 1))["errors"]


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_the_schemas_are_valid_json_schema(topic: Topic) -> None:
    Draft202012Validator.check_schema(contracts.schema(topic))


@pytest.mark.parametrize("intent", ["quote", "checkout", "cancel", None])
def test_only_a_cart_that_is_cancelled_may_have_no_lines(intent: str | None) -> None:
    cart = json.loads(encode(builders.cart()))
    cart.pop("intent")
    cart |= {"intent": intent} if intent else {}
    schema = Draft202012Validator(contracts.schema(CARTS))
    assert schema.is_valid(cart)
    assert schema.is_valid(cart | {"lines": []}) == (intent == "cancel")
    del cart["lines"]
    assert schema.is_valid(cart) == (intent == "cancel")


def released(topic: Topic) -> dict[str, Any]:
    """The topic's schema as it was last released."""
    document: dict[str, Any] = json.loads((RELEASED / f"{topic.name}.json").read_text())
    return document


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_what_was_written_by_the_previous_version_can_be_read(topic: Topic) -> None:
    """Tills are upgraded later than we are, and topics hold what was written before."""
    found = problems(contracts.schema(topic), released(topic), ignore_unknown=not topic.public)
    assert found == []


@pytest.mark.parametrize("topic", [t for t in TOPICS if not t.public], ids=lambda t: t.name)
def test_a_reader_of_the_previous_version_can_read_what_is_written_now(topic: Topic) -> None:
    """Services are upgraded one after another: old readers meet new writers."""
    assert problems(released(topic), contracts.schema(topic), ignore_unknown=True) == []


def changed(**fields: Any) -> dict[str, Any]:
    """Decision's schema with some fields changed."""
    model: type[BaseModel] = create_model("Decision", __base__=Decision, **fields)
    return model.model_json_schema()


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"receipt_id": (int, ...)}, ".receipt_id: integer where string was read"),
        ({"receipt_id": (str | None, None)}, ".receipt_id: was required, now may be missing"),
        ({"total": (str, ...)}, ".total: string where integer was read"),
        ({"receipt_id": (str, ...)}, ".receipt_id: pattern is another"),
    ],
)
def test_a_change_that_breaks_a_reader_is_found(fields: dict[str, Any], problem: str) -> None:
    before = Decision.model_json_schema()
    assert problem in problems(before, changed(**fields), ignore_unknown=True)


def test_a_new_value_of_an_enumeration_is_found() -> None:
    writer = json.loads(
        json.dumps(Decision.model_json_schema()).replace('"superseded"', '"superseded", "lost"')
    )
    found = problems(Decision.model_json_schema(), writer, ignore_unknown=True)
    assert found == [".outcome: new values ['lost']"]


def test_a_new_optional_field_breaks_only_readers_that_refuse_unknown_ones() -> None:
    before, after = Decision.model_json_schema(), changed(note=(str | None, None))
    assert problems(before, after, ignore_unknown=True) == []
    assert problems(before, after, ignore_unknown=False) == [".note: is refused as unknown"]
