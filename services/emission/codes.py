"""Promo codes: what an emission may ask for, and how codes are made. Pure; randomness comes in.

A personal code must be unguessable: ``GUESSES_PER_CODE`` says how rare codes are among all that a
pattern allows. With 100,000 a till that lets through ten guesses a minute meets a valid code once
in a week; the evaluator locks guessers out long before.
"""

import re
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from shared.codes import digest, normalise
from shared.events.reference import NOBODY
from shared.events.values import CustomerId, Event, Id, Instant, Text

ALPHABET = "23456789ACDEFGHJKMNPQRTVWXY"
"""No 0 O, 1 I L, 2 Z, 5 S, 8 B, U V twice: what people misread, one of each pair at most."""
MAX_CODES = 10_000_000
MAX_HOLDERS = 200_000
"""Customers that the codes of one emission may be bound to: what a request can name."""
GUESSES_PER_CODE = 100_000
DEFAULT_PATTERN = "####-####-####"
_FEWEST = 1_000  # a handful of codes must be as hard to guess as a thousand
_WORD = range(2, 41)
_PATTERN = re.compile(r"[A-Za-z0-9#](?:[A-Za-z0-9#-]{0,48}[A-Za-z0-9#])?")

# Every byte to a character; the bytes above the last whole multiple are dropped, so that no
# character is likelier than another.
_USABLE = 256 - 256 % len(ALPHABET)
_MAPPING = bytes(ord(ALPHABET[i % len(ALPHABET)]) for i in range(256))
_DROPPED = bytes(range(_USABLE, 256))

RandomBytes = Callable[[int], bytes]


class NewEmission(Event):
    """What an author asks for.

    ``mass``: a ``word`` for everybody. ``personal``: ``count`` codes of ``pattern``, in which every
    ``#`` is a random character; ``single_use`` (default for personal codes): each may be redeemed
    once, for life. Valid from ``valid_from`` up to, not including, ``valid_until``.

    A ``count`` of 0: none is made now; each is made for one customer, when it is asked for.

    Each of ``customers`` is bound one personal code, in their order; further codes, if ``count`` is
    larger than their number (which it is by default), are anybody's.
    """

    emission_id: Id
    name: Text
    kind: Literal["mass", "personal"]
    word: Annotated[str, StringConstraints(max_length=80)] | None = None
    count: Annotated[int, Field(ge=0, le=MAX_CODES)] | None = None
    pattern: Annotated[str, StringConstraints(min_length=1, max_length=50)] | None = None
    valid_from: Instant | None = None
    valid_until: Instant | None = None
    single_use: bool | None = None
    customers: (
        Annotated[tuple[CustomerId, ...], Field(min_length=1, max_length=MAX_HOLDERS)] | None
    ) = None

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        fault = _fault_of_mass(self) if self.kind == "mass" else _fault_of_personal(self)
        if (
            fault is None
            and self.valid_from
            and self.valid_until
            and self.valid_until <= self.valid_from
        ):
            fault = "valid_until: must be after valid_from"
        if fault is not None:
            raise ValueError(fault)
        return self

    @property
    def size(self) -> int:
        """How many codes are made when it is posted."""
        return len(self.customers or ()) or 1 if self.count is None else self.count

    @property
    def code_pattern(self) -> str | None:
        """The pattern of personal codes, the default if none was given."""
        return None if self.kind == "mass" else self.pattern or DEFAULT_PATTERN

    @property
    def used_once(self) -> bool:
        """Whether each code may be redeemed once only."""
        return self.kind == "personal" and self.single_use is not False

    @property
    def holders_sha256(self) -> bytes | None:
        """What the customers and their order are known by; None if no code is bound."""
        return None if self.customers is None else sha256_of_holders(self.customers)

    def spelled_out(self) -> "NewEmission":
        """The same with its defaults in place, and without customers."""
        count = None if self.kind == "mass" else self.size
        spelled = {"pattern": self.code_pattern, "single_use": self.used_once, "count": count}
        return self.model_copy(update=spelled | {"customers": None})


def sha256_of_holders(customers: Sequence[str]) -> bytes:
    """What customers and their order are known by: whether they are the same is asked without reading them."""
    return sha256("\n".join(customers).encode()).digest()


def _fault_of_mass(emission: NewEmission) -> str | None:
    if emission.word is None:
        return "word: a mass emission needs a word"
    word = normalise(emission.word)
    if len(word) not in _WORD or not word.isalnum():
        return f"word: must have {_WORD[0]} to {_WORD[-1]} letters or digits"
    for field in ("count", "pattern", "customers"):
        if getattr(emission, field) is not None:
            return f"{field}: only for personal codes"
    if emission.single_use:
        return "single_use: only for personal codes; limit a word by the cap of its condition"
    return None


def _fault_of_personal(emission: NewEmission) -> str | None:
    if emission.word is not None:
        return "word: only for a mass emission"
    fault = _fault_of_holders(emission.count, emission.customers)
    if fault is not None:
        return fault
    template = emission.pattern or DEFAULT_PATTERN
    if not _PATTERN.fullmatch(template):
        return "pattern: letters A–Z, digits, # for a random character, hyphens within"
    if "#" not in template:
        return "pattern: needs # for the random characters"
    needed = fewest_random(emission.size)
    if template.count("#") < needed:
        return f"pattern: {emission.size} codes need at least {needed} random characters (#)"
    return None


def _fault_of_holders(count: int | None, customers: Sequence[str] | None) -> str | None:
    if customers is None:
        return "count: personal codes need a count, or customers" if count is None else None
    if count is not None and count < len(customers):
        return f"count: {len(customers)} customers need as many codes"
    seen = set()
    for position, customer_id in enumerate(customers):
        if customer_id in seen:
            return f"customers.{position}: given twice"
        if customer_id == NOBODY:
            return f"customers.{position}: stands for those who were erased"
        seen.add(customer_id)
    return None


def fewest_random(count: int) -> int:
    """How many random characters ``count`` codes need to be unguessable."""
    space, characters = 1, 0
    while space < GUESSES_PER_CODE * max(count, _FEWEST):
        space, characters = space * len(ALPHABET), characters + 1
    return characters


def widened(pattern: str, codes: int) -> str:
    """The pattern with as many more random characters as so many codes need to be unguessable."""
    return pattern + "#" * (fewest_random(codes) - pattern.count("#"))


def generate(pattern: str, count: int, key: bytes, random_bytes: RandomBytes) -> dict[bytes, str]:
    """``count`` different random codes of a valid ``pattern``, by their digests under ``key``."""
    codes: dict[bytes, str] = {}
    width = pattern.count("#")
    shown = pattern.upper().replace("#", "%s")  # a pattern holds no % of its own
    while len(codes) < count:
        missing = count - len(codes)
        letters = _letters(missing * width, random_bytes)
        for start in range(0, missing * width, width):
            code = shown % tuple(letters[start : start + width])
            codes[digest(code, key)] = code
    return codes


def _letters(count: int, random_bytes: RandomBytes) -> str:
    letters = b""
    while len(letters) < count:
        # A few more than are likely to be dropped.
        raw = random_bytes((count - len(letters)) * 256 // _USABLE + 64)
        letters += raw.translate(_MAPPING, _DROPPED)
    return letters[:count].decode("ascii")
