"""The contracts as documents, from the models.

``docs/asyncapi.yaml``, ``docs/schemas/*.json``, and the promotion language, ``docs/language.md``.

``python -m deploy.contracts`` (``make contracts``) writes them; a test fails while they are stale.
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml
from pydantic.json_schema import models_json_schema

from services.emission import language_page
from shared.topics import TOPICS, Topic

DOCS = Path(__file__).resolve().parent.parent / "docs"
_VERSION = "1.0.0"
_WRITERS = {
    "checkout": "tills",
    "customers": "customers",
    "emission": "emission",
    "promo": "evaluator",
    "reference": "emission",
}
_OTHER_WRITERS = {
    "promo.campaigns.v1": "emission",
    "promo.codes.v1": "emission",
    "emission.requests.v1": "customers",
    "customers.erased.v1": "every service",
}
_HEADERS = {
    "type": "object",
    "description": "CloudEvents 1.0 attributes, Kafka binary mode.",
    "required": ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time"],
    "properties": {
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_id": {"type": "string", "description": "Names the event; a retry has the same."},
        "ce_type": {"type": "string"},
        "ce_source": {"type": "string"},
        "ce_time": {"type": "string", "format": "date-time"},
    },
}


def documents() -> dict[Path, str]:
    """Every generated document: its path below ``docs`` and its text."""
    texts = {
        Path("schemas") / f"{topic.name}.json": json.dumps(schema(topic), indent=2) + "\n"
        for topic in TOPICS
    }
    texts[Path("asyncapi.yaml")] = yaml.safe_dump(asyncapi(), sort_keys=False, width=100)
    texts[Path("language.md")] = language_page.page()
    return texts


def schema(topic: Topic) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a topic's messages."""
    frame = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:tillstream:{topic.name}",
    }
    if not topic.others:
        return {**frame, **topic.event.model_json_schema()}
    models = list(topic.events.values())
    references, definitions = models_json_schema([(model, "validation") for model in models])
    forms = [references[model, "validation"] for model in models]
    return {**frame, "oneOf": forms, **definitions}


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3.0 document of all topics."""
    models = list(dict.fromkeys(model for topic in TOPICS for model in topic.events.values()))
    _, definitions = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tillstream",
            "version": _VERSION,
            "description": "Promotions decided at the checkout and counted live.",
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": {topic.name: _operation(topic) for topic in TOPICS},
        "components": {
            "schemas": {"CloudEventHeaders": _HEADERS, **_asyncapi_schema(definitions["$defs"])},
        },
    }


def _asyncapi_schema(schema: Any) -> Any:
    """As AsyncAPI writes it: its ``discriminator`` is the property's name, not OpenAPI's object."""
    if isinstance(schema, list):
        return [_asyncapi_schema(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: value["propertyName"]
        if key == "discriminator" and "propertyName" in value
        else _asyncapi_schema(value)
        for key, value in schema.items()
    }


def _channel(topic: Topic) -> dict[str, Any]:
    kafka = {"partitions": topic.partitions, "bindingVersion": "0.5.0"}
    retention = topic.config.get("retention.ms")
    configuration: dict[str, Any] = {}
    if topic.config.get("cleanup.policy"):
        configuration["cleanup.policy"] = [topic.config["cleanup.policy"]]
    if retention:
        configuration["retention.ms"] = int(retention)
    if configuration:
        kafka["topicConfiguration"] = configuration
    return {
        "address": topic.name,
        "description": f"{topic.description} Key: {topic.key}.",
        "messages": {
            model.__name__: _message(topic, event_type, model.__name__)
            for event_type, model in topic.events.items()
        },
        "bindings": {"kafka": kafka},
    }


def _message(topic: Topic, event_type: str, model: str) -> dict[str, Any]:
    return {
        "name": event_type,
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/CloudEventHeaders"},
        "payload": {"$ref": f"#/components/schemas/{model}"},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": topic.key},
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operation(topic: Topic) -> dict[str, Any]:
    writer = _OTHER_WRITERS.get(topic.name) or _WRITERS[topic.name.split(".")[0]]
    return {
        "action": "receive" if topic.public else "send",
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "summary": f"Written by {writer}.",
    }


def main() -> int:
    """Write the documents."""
    for path, text in documents().items():
        target = DOCS / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
