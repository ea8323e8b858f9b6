"""Users of the console, for administrators."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from services.emission.http.desk import CONFLICTS, SECRET, After, Desk, Limit
from services.emission.store import users as store
from services.emission.users import Login, NewUser, UserEdit
from services.emission.views import Invitation, Users, UserView
from shared.web.auth import Principal, require
from shared.web.body import json_body

_Administrator = Annotated[Principal, Depends(require("admin"))]


def user_routes(desk: Callable[[], Desk]) -> APIRouter:
    """Users."""
    router = APIRouter(prefix="/users")

    @router.post("", status_code=HTTPStatus.CREATED, responses=CONFLICTS)
    async def add(
        caller: _Administrator,
        new: Annotated[NewUser, Depends(json_body(NewUser))],
        response: Response,
    ) -> Invitation:
        """Add a user. The invitation's secret is shown once: hand it on with the page's address."""
        response.headers.update(SECRET)
        return Invitation.of(*await desk().sign_in.add(new, caller.subject))

    @router.get("")
    async def users(_: _Administrator, after: After = "", limit: Limit = 100) -> Users:
        """Users by login."""
        async with desk().pool.acquire() as connection:
            found = await store.users(connection, after, limit)
        return Users(
            items=[UserView.of(one) for one in found],
            next=found[-1].login if len(found) == limit else None,
        )

    @router.put("/{login}", responses=CONFLICTS)
    async def edit(
        caller: _Administrator,
        login: Login,
        new: Annotated[UserEdit, Depends(json_body(UserEdit))],
    ) -> UserView:
        """Change a user's name or role, or disable him: his sessions end."""
        return UserView.of(await desk().sign_in.edit(login, new, caller.subject))

    @router.post("/{login}/invitation")
    async def invite(login: Login, caller: _Administrator, response: Response) -> Invitation:
        """Invite again: for who has lost the invitation, or forgotten his password."""
        response.headers.update(SECRET)
        return Invitation.of(*await desk().sign_in.invite(login, caller.subject))

    return router
