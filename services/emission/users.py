"""Users of the console: their roles, and what may be asked about them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.events.values import Event, Text
from shared.web.auth import SCOPES, Scope

Role = Literal["marketer", "analyst", "administrator"]
_READING: frozenset[Scope] = frozenset(
    ("campaigns:read", "statistics:read", "ledger:read", "customers:read")
)
# What a till does is no user's business: nobody pays at the console.
_TILLS: frozenset[Scope] = frozenset(("checkouts:write", "leases:write", "quotes:public"))
ROLES: Mapping[Role, frozenset[Scope]] = {
    "analyst": _READING,
    "marketer": _READING | {"campaigns:write", "codes:export", "quotes:write", "customers:write"},
    "administrator": SCOPES - _TILLS,
}
"""What each role may do. A quote holds nothing: with it a marketer tries a cart."""

SHORTEST_PASSWORD = 10
IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)
"""A session ends when it was not used for ``IDLE``, and after ``LONGEST`` in any case."""
INVITATION = timedelta(days=2)

Login = Annotated[
    str,
    StringConstraints(to_lower=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$"),
    Field(description="letters, digits and . _ @ + -; upper and lower case are the same"),
]
Password = Annotated[
    str, StringConstraints(min_length=SHORTEST_PASSWORD, max_length=200), Field(repr=False)
]


class Credentials(Event):
    """Who wants to sign in."""

    login: Annotated[str, StringConstraints(to_lower=True, min_length=1, max_length=64)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=200), Field(repr=False)]


class NewUser(Event):
    """A user to be invited."""

    login: Login
    name: Text
    role: Role


class UserEdit(Event):
    """What an administrator may change of a user; a disabled one is signed out."""

    name: Text
    role: Role
    disabled: bool = False


class NewPassword(Event):
    """A user's own password, changed by who knows the old one."""

    old: Annotated[str, StringConstraints(min_length=1, max_length=200), Field(repr=False)]
    new: Password


class Acceptance(Event):
    """An invitation is accepted: its secret, and the password that the user wants."""

    secret: Annotated[str, StringConstraints(min_length=1, max_length=200), Field(repr=False)]
    password: Password


@dataclass(frozen=True)
class User:
    """A user as he is kept, without password."""

    login: str
    name: str
    role: Role
    created_at: datetime
    has_password: bool
    disabled: bool = False
    signed_in_at: datetime | None = None

    @property
    def scopes(self) -> frozenset[Scope]:
        """What his role allows."""
        return ROLES[self.role]


@dataclass(frozen=True)
class Session:
    """An open session of a user."""

    user: User
    created_at: datetime
    used_at: datetime

    def is_over(self, now: datetime) -> bool:
        """Whether it may no longer be used."""
        return now >= self.used_at + IDLE or now >= self.created_at + LONGEST or self.user.disabled
