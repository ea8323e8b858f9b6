"""Selections of products in words."""

from services.emission.sentence.writer import Writer
from shared.events.selection import Products, Selectors


def goods(writer: Writer, products: Products, case: str = "goods") -> str:
    """The selected goods; ``case`` is ``goods``, or ``of goods`` where a language declines it."""
    words = writer.say(case)
    selected = _selected(writer, products)
    if selected:
        words = writer.say("selected", goods=words, selected=selected)
    if products.exclude is not None:
        excluded = _selected(writer, products.exclude)
        words = writer.say("excluded", goods=words, excluded=excluded) if excluded else words
    return words


def is_everything(products: Products) -> bool:
    """Whether no selector narrows it down."""
    return products == Products()


def _selected(writer: Writer, selectors: Selectors) -> str:
    parts = []
    if selectors.skus:
        parts.append(writer.named(selectors.skus, writer.names.products))
    for field, names in (("groups", selectors.groups), ("brands", selectors.brands)):
        if names:
            parts.append(writer.say(field, names=writer.named(names, {})))
    for attribute in selectors.attributes:
        values = writer.named(attribute.values, {})
        parts.append(writer.say("attribute", name=attribute.name, values=values))
    return writer.listed(parts, "or") if parts else ""
