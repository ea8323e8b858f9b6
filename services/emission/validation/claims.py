"""An instrument's conditions taken apart: what must hold, and what is a choice."""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.events.conditions import All, AnyOf, Condition, Not, children


@dataclass(frozen=True)
class Claim:
    """The condition at ``path`` must be met, or (``holds`` false, below a ``not``) must not be."""

    path: str
    condition: Condition
    holds: bool = True


@dataclass(frozen=True)
class Choice:
    """One of the branches must hold.

    ``is_any``: they are the alternatives of an ``any``, of which each should be possible; those of
    "not all of these" need not be.
    """

    path: str
    branches: tuple[Claim, ...]
    is_any: bool


def unfold(claims: Iterable[Claim]) -> tuple[list[Claim], list[Choice]]:
    """Claims about single conditions that must all hold, and choices, of one of which each."""
    single: list[Claim] = []
    choices: list[Choice] = []
    for claim in claims:
        condition, holds = claim.condition, claim.holds
        match condition:
            case Not():
                parts = [Claim(f"{claim.path}.condition", condition.condition, not holds)]
            case All() | AnyOf():
                parts = [
                    Claim(f"{claim.path}.{field}", child, holds)
                    for field, child in children(condition)
                ]
                if isinstance(condition, AnyOf) == holds:
                    choices.append(Choice(claim.path, tuple(parts), is_any=holds))
                    continue
            case _:
                single.append(claim)
                continue
        more, others = unfold(parts)
        single += more
        choices += others
    return single, choices
