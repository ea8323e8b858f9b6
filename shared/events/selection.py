"""What conditions and benefits are made of: comparisons, and selections of products."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from shared.events.values import Event, Id, Text

_Compared = Annotated[
    int,
    Field(ge=0, le=10**12, description="money in minor units (cents), quantities in thousandths"),
]


class Comparison(Event):
    """``op`` compares what is there with ``value``; ``between`` includes both ends."""

    op: Literal[">=", ">", "=", "<", "<=", "between"] = ">="
    value: _Compared
    upper: _Compared | None = None

    @model_validator(mode="after")
    def _upper_goes_with_between(self) -> Self:
        if (self.op == "between") != (self.upper is not None):
            message = "upper: given with 'between', and only with it"
            raise ValueError(message)
        if self.upper is not None and self.upper < self.value:
            message = "upper: must not be below value"
            raise ValueError(message)
        return self


class Attribute(Event):
    """Products whose attribute ``name`` is any of ``values``."""

    name: Id
    values: Annotated[tuple[Text, ...], Field(min_length=1, max_length=500)]


class Selectors(Event):
    """Products of any of ``skus``, ``groups``, ``brands`` or ``attributes``."""

    skus: Annotated[tuple[Text, ...], Field(max_length=5_000)] = ()
    groups: Annotated[tuple[Text, ...], Field(max_length=500)] = ()
    brands: Annotated[tuple[Text, ...], Field(max_length=500)] = ()
    attributes: Annotated[tuple[Attribute, ...], Field(max_length=20)] = ()


class Products(Selectors):
    """A selection of products: those of any of the selectors, less those of ``exclude``.

    No selector = every product on the receipt.
    """

    exclude: Selectors | None = None
