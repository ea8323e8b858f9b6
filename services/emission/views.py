"""What the authoring API answers with."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from services.emission.campaigns import CampaignPlan, Status, period
from services.emission.sentence import Language, Names, sentence
from services.emission.store.campaigns import CampaignRow, InstrumentRow
from services.emission.store.emissions import EmissionRow
from services.emission.store.keys import KeyRow
from services.emission.users import Role, User
from shared.events.promotion import Instrument
from shared.events.reference import Customer, Product, Store
from shared.events.values import Event
from shared.web.auth import Scope


class AuthoredView(Event):
    """Who wrote something and who changed it last, as far as it was kept: ``user:<login>`` or ``key:<id>``."""

    created_at: datetime | None = None
    created_by: str | None = None
    changed_at: datetime | None = None
    changed_by: str | None = None


class Warned(Event):
    """What to think of, by field; it keeps nothing from being saved."""

    field: str
    message: str


class EmissionView(AuthoredView):
    """An emission; ``word`` is a mass emission's, personal codes are only exported.

    ``bound`` of its codes are bound to customers. ``requested_codes`` more were made on request, each for a customer.
    """

    emission_id: str
    name: str
    kind: Literal["mass", "personal"]
    word: str | None = None
    count: int
    pattern: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    single_use: bool
    status: Literal["draft", "posting", "posted"]
    posted_codes: int
    bound: int
    requested_codes: int

    @classmethod
    def of(cls, row: EmissionRow) -> "EmissionView":
        """The view of a row."""
        asked = row.asked
        return cls(
            emission_id=asked.emission_id,
            name=asked.name,
            kind=asked.kind,
            word=asked.word,
            count=asked.size,
            pattern=asked.pattern,
            valid_from=asked.valid_from,
            valid_until=asked.valid_until,
            single_use=asked.used_once,
            status=row.status,
            posted_codes=row.posted_codes,
            bound=row.bound,
            requested_codes=row.requested_codes,
            **asdict(row.authored),
        )


class InstrumentView(Instrument, AuthoredView):
    """An instrument, and what it says in plain words."""

    sentence: str

    @classmethod
    def of(cls, row: InstrumentRow, names: Names, language: Language) -> "InstrumentView":
        """The view of a row, with its sentence."""
        words = sentence(row.instrument, names, language)
        return cls.model_construct(**dict(row.instrument), sentence=words, **asdict(row.authored))


class CheckedInstrument(Event):
    """What an instrument that could be saved says. ``exists``: there is one with its id, which saving would edit."""

    sentence: str
    exists: bool
    warnings: list[Warned]


class CampaignView(CampaignPlan, AuthoredView):
    """A campaign: its plan, where it stands, and its period as half-open instants (UTC)."""

    status: Status
    version: int
    starts_at: datetime
    ends_at: datetime

    @classmethod
    def of(cls, row: CampaignRow) -> "CampaignView":
        """The view of a row."""
        state = row.state
        starts_at, ends_at = period(state.plan)
        return cls(
            **dict(state.plan),
            status=state.status,
            version=state.version,
            starts_at=starts_at,
            ends_at=ends_at,
            **asdict(row.authored),
        )


class GroupView(Event):
    """A customer group and how many belong to it; ``changed`` customers were published anew."""

    group_id: str
    name: str
    members: int
    changed: int | None = None


class MembersView(Event):
    """A page of a group's customers; ``next`` is the ``after`` of the next page."""

    group_id: str
    name: str
    customers: list[str]
    next: str | None = None


class CustomerView(Event):
    """What is known of a customer: groups, and the day of birth (MM-DD)."""

    customer_id: str
    groups: list[str]
    birthday: str | None

    @classmethod
    def of(cls, customer: Customer) -> "CustomerView":
        """The view of what is published."""
        return cls(
            customer_id=customer.customer_id,
            groups=list(customer.groups),
            birthday=customer.birthday,
        )


class CustomersChanged(Event):
    """How many customers were given, and how many of them were published anew."""

    customers: int
    changed: int


class StoresChanged(Event):
    """How many stores were given, and how many of them were new or different."""

    stores: int
    changed: int


class ProductsSaved(Event):
    """How many products were given, and how many of them were new or different."""

    products: int
    changed: int


class Products(Event):
    """A page of products; ``next`` is the ``after`` of the next page, for who reads them by sku."""

    items: list[Product]
    total: int
    next: str | None = None


class NamedProducts(Event):
    """A product group or a brand, and how many products are in it."""

    name: str
    products: int


class ProductsNamed(Event):
    """A page of product groups or brands."""

    items: list[NamedProducts]
    total: int


class CodeView(Event):
    """A code, the customer it is bound to, and its number in its emission, from 1.

    Those made on request come after those that were posted; ``valid_until`` is theirs alone.
    """

    number: int
    code: str
    customer_id: str | None
    valid_until: datetime | None = None


class Codes(Event):
    """A page of an emission's codes; ``next`` is the ``after`` of the next page."""

    items: list[CodeView]
    total: int
    next: int | None = None


class DraftSummary(Event):
    """A draft of a form, until when it is kept if nothing more is typed."""

    kind: str
    id: str
    changed_at: datetime
    expires_at: datetime


class DraftView(DraftSummary):
    """A draft and what is in it: whatever was typed."""

    body: dict[str, Any]


class Drafts(Event):
    """One's own drafts, the newest first."""

    items: list[DraftSummary]


class KeyView(Event):
    """An API key without its secret."""

    key_id: str
    name: str
    scopes: list[Scope]
    revoked: bool

    @classmethod
    def of(cls, row: KeyRow) -> "KeyView":
        """The view of a row."""
        return cls(key_id=row.key_id, name=row.name, scopes=list(row.scopes), revoked=row.revoked)


class KeyMade(Event):
    """A new key. ``api_key`` is shown here and never again."""

    key_id: str
    api_key: str
    name: str
    scopes: list[Scope]


class Token(Event):
    """A signed token for ``Authorization: Bearer``."""

    token: str
    expires_at: datetime
    scopes: list[Scope]


class Emissions(Event):
    """A page of emissions; ``next`` is the ``after`` of the next page."""

    items: list[EmissionView]
    total: int
    next: str | None = None


class Instruments(Event):
    """A page of instruments; ``next`` is the ``after`` of the next page."""

    items: list[InstrumentView]
    total: int
    next: str | None = None


class Campaigns(Event):
    """A page of campaigns; ``next`` is the ``after`` of the next page."""

    items: list[CampaignView]
    total: int
    next: str | None = None


class Stores(Event):
    """A page of stores; ``next`` is the ``after`` of the next page."""

    items: list[Store]
    total: int
    next: str | None = None


class Groups(Event):
    """A page of groups; ``next`` is the ``after`` of the next page."""

    items: list[GroupView]
    total: int
    next: str | None = None


class Keys(Event):
    """A page of keys; ``next`` is the ``after`` of the next page."""

    items: list[KeyView]
    next: str | None = None


class SessionView(Event):
    """Who is signed in to the console, and what the role allows."""

    login: str
    name: str
    role: Role
    scopes: list[Scope]

    @classmethod
    def of(cls, user: User) -> "SessionView":
        """The view of a user."""
        return cls(login=user.login, name=user.name, role=user.role, scopes=sorted(user.scopes))


class UserView(Event):
    """A user of the console. ``invited``: has no password yet."""

    login: str
    name: str
    role: Role
    invited: bool
    disabled: bool
    created_at: datetime
    signed_in_at: datetime | None

    @classmethod
    def of(cls, user: User) -> "UserView":
        """The view of a user."""
        return cls(
            login=user.login,
            name=user.name,
            role=user.role,
            invited=not user.has_password,
            disabled=user.disabled,
            created_at=user.created_at,
            signed_in_at=user.signed_in_at,
        )


class Invitation(Event):
    """An invitation, valid for two days and once: append ``secret`` to ``/invitation#``."""

    user: UserView
    secret: str

    @classmethod
    def of(cls, user: User, secret: str) -> "Invitation":
        """The view of a user who is invited."""
        return cls(user=UserView.of(user), secret=secret)


class Users(Event):
    """A page of users; ``next`` is the ``after`` of the next page."""

    items: list[UserView]
    next: str | None = None
