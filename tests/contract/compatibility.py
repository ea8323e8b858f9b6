"""What one version of a JSON Schema may write that another cannot read."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Schema = dict[str, Any]
# (keyword, whether the reader's bound is a lower one)
_BOUNDS = (
    ("minimum", True),
    ("exclusiveMinimum", True),
    ("minLength", True),
    ("minItems", True),
    ("maximum", False),
    ("exclusiveMaximum", False),
    ("maxLength", False),
    ("maxItems", False),
    ("maxProperties", False),
)


@dataclass(frozen=True)
class Side:
    """A schema document, for resolving its references.

    ``compared`` are the pairs of forms that are being compared, of the two sides: what refers to
    itself is as it is found to be so far.
    """

    root: Schema
    compared: set[tuple[int, int]] = field(default_factory=set)

    def resolve(self, schema: Schema) -> Schema:
        """The schema that a ``$ref`` stands for."""
        while "$ref" in schema:
            schema = self.root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
        return schema

    def alternatives(self, schema: Schema) -> list[Schema]:
        """The forms that a value may take."""
        schema = self.resolve(schema)
        forms = schema.get("anyOf") or schema.get("oneOf")
        return [self.resolve(form) for form in forms] if forms else [schema]


def problems(reader: Schema, writer: Schema, *, ignore_unknown: bool) -> list[str]:
    """What ``writer`` may send that ``reader`` cannot read; each names the field."""
    return list(_value(Side(reader), reader, Side(writer), writer, "", ignore_unknown))


def _value(
    reads: Side, reader: Schema, writes: Side, writer: Schema, path: str, ignore: bool
) -> Iterator[str]:
    readers = reads.alternatives(reader)
    for form in writes.alternatives(writer):
        found = [list(_form(reads, r, writes, form, path, ignore)) for r in readers]
        if all(found):
            yield from min(found, key=len)


def _form(
    reads: Side, reader: Schema, writes: Side, writer: Schema, path: str, ignore: bool
) -> Iterator[str]:
    name = path or "the message"
    if other := _tag(reader, writer):
        yield f"{name}: {other}"
        return
    pair = (id(reader), id(writer))
    if reader.get("type") == "object" and pair in reads.compared:
        return
    reads.compared.add(pair)
    if reader.get("type") != writer.get("type"):
        yield f"{name}: {writer.get('type')} where {reader.get('type')} was read"
        return
    yield from _choices(reader, writer, name)
    for keyword, lower in _BOUNDS:
        ours, theirs = reader.get(keyword), writer.get(keyword)
        if ours is not None and (theirs is None or (theirs < ours if lower else theirs > ours)):
            yield f"{name}: {keyword} {theirs} is wider than {ours}"
    for keyword in ("pattern", "format"):
        if reader.get(keyword) not in (None, writer.get(keyword)):
            yield f"{name}: {keyword} is another"
    if reader.get("type") == "array":
        yield from _value(
            reads, reader.get("items", {}), writes, writer.get("items", {}), f"{path}[]", ignore
        )
    if reader.get("type") == "object":
        yield from _object(reads, reader, writes, writer, path, ignore)


def _tag(reader: Schema, writer: Schema) -> str | None:
    """By which constant two forms of a union are told apart, if they are not the same one."""
    read, written = reader.get("properties", {}), writer.get("properties", {})
    for name in read.keys() & written.keys():
        tags = read[name].get("const"), written[name].get("const")
        if None not in tags and tags[0] != tags[1]:
            return f"{name} {tags[1]} where {tags[0]} was read"
    return None


def _choices(reader: Schema, writer: Schema, name: str) -> Iterator[str]:
    allowed = _allowed(reader)
    if allowed is not None:
        written = _allowed(writer)
        if written is None:
            yield f"{name}: anything where {sorted(allowed)} was read"
        elif written - allowed:
            yield f"{name}: new values {sorted(written - allowed)}"


def _allowed(schema: Schema) -> set[Any] | None:
    if "const" in schema:
        return {schema["const"]}
    return set(schema["enum"]) if "enum" in schema else None


def _object(
    reads: Side, reader: Schema, writes: Side, writer: Schema, path: str, ignore: bool
) -> Iterator[str]:
    read, written = reader.get("properties", {}), writer.get("properties", {})
    for name in reader.get("required", []):
        if name not in writer.get("required", []):
            yield f"{path}.{name}: was required, now may be missing"
    if not ignore:
        for name in sorted(written.keys() - read.keys()):
            if read:
                yield f"{path}.{name}: is refused as unknown"
    for name in sorted(read.keys() & written.keys()):
        yield from _value(reads, read[name], writes, written[name], f"{path}.{name}", ignore)
