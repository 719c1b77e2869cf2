"""Users and their keys: an administrator manages all of them, other users their own keys."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from engine.errors import EngineError, InvalidError, OutputError
from engine.server.accounts import LONGEST_PASSWORD, SHORTEST_PASSWORD, Accounts
from engine.server.api.parameters import LARGEST_ID
from engine.server.context import Context, ServerContext
from engine.server.login import COOKIE, CurrentUser, current_admin
from engine.server.problems import RESPONSES
from engine.server.responses import Document

router = APIRouter(tags=["users"], responses=RESPONSES)

UserName = Annotated[str, Path(min_length=1, max_length=64, examples=["ann"])]
KeyNumber = Annotated[int, Path(ge=1, le=LARGEST_ID, examples=[1])]
Password = Annotated[str, Field(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD)]


class UserDocument(BaseModel):
    """A user; `admin` is true if the user may index and manage users."""

    name: str = Field(examples=["ann"])
    admin: bool


class UserList(BaseModel):
    """All users, by name."""

    users: list[UserDocument]


class NewUser(BaseModel):
    """A user to add, with the password for the page."""

    name: str = Field(min_length=1, max_length=64, examples=["bob"])
    password: Password = Field(examples=["battery staple"])
    admin: bool = False


class NewPassword(BaseModel):
    """Another password."""

    password: Password = Field(examples=["battery staple"])


class KeyDocument(BaseModel):
    """A key without its secret; `created_at` is in seconds since 1970."""

    key_id: int
    label: str = Field(examples=["phone"])
    created_at: float


class KeyList(BaseModel):
    """The keys of a user, the oldest first."""

    keys: list[KeyDocument]


class NewKey(BaseModel):
    """A name for the key, such as the player's."""

    label: str = Field("", max_length=100, examples=["phone"])


class MadeKey(BaseModel):
    """A new key: it cannot be shown again."""

    key: str


class ApplicationPassword(BaseModel):
    """The password for players that send tokens."""

    password: str


@router.get("/users", dependencies=[Depends(current_admin)], responses={200: {"model": UserList}})
def list_users(context: Context) -> Document:
    """List the users; only for an administrator."""
    return Document({"users": [{"name": each.name, "admin": each.admin} for each in _accounts(context).all()]})


@router.post("/users", status_code=201, dependencies=[Depends(current_admin)], responses={201: {"model": UserDocument}})
def add_user(context: Context, new: NewUser) -> Document:
    """Add a user; only for an administrator."""
    accounts = _accounts(context)
    if accounts.find(new.name) is not None:
        raise OutputError(f"there is a user called {new.name!r}", hint="choose another name")
    accounts.add(new.name, new.password, new.admin)
    return Document({"name": new.name, "admin": new.admin}, status_code=201)


@router.delete("/users/{name}", status_code=204, dependencies=[Depends(current_admin)], response_class=Response)
def remove_user(context: Context, user: CurrentUser, name: UserName) -> Response:
    """Remove another user with all keys; playlists and stars remain for a user of the same name."""
    if name == user.name:
        raise InvalidError("an administrator cannot remove the own account", hint="`engine user remove` can")
    _accounts(context).remove(name)
    return Response(status_code=204)


@router.put("/users/{name}/password", status_code=204, response_class=Response)
def change_password(
    context: Context, user: CurrentUser, name: UserName, new: NewPassword, request: Request
) -> Response:
    """Change one's own password or, for an administrator, that of any user; ends the user's other sessions."""
    accounts = _accounts_for(context, user, name)
    known = accounts.existing(name)
    accounts.add(name, new.password, known.admin, session=request.cookies.get(COOKIE, ""))
    return Response(status_code=204)


@router.get("/users/{name}/keys", responses={200: {"model": KeyList}})
def list_keys(context: Context, user: CurrentUser, name: UserName) -> Document:
    """List one's own keys or, for an administrator, those of any user."""
    found = _accounts_for(context, user, name).keys(name)
    return Document(
        {"keys": [{"key_id": each.id, "label": each.label, "created_at": each.created_at} for each in found]}
    )


@router.post("/users/{name}/keys", status_code=201, responses={201: {"model": MadeKey}})
def make_key(context: Context, user: CurrentUser, name: UserName, new: NewKey) -> Document:
    """Make a key for a player or a program; only this answer contains it."""
    made = _accounts_for(context, user, name).new_key(name, new.label)
    return Document({"key": made}, status_code=201, headers={"Cache-Control": "no-store"})


@router.delete("/users/{name}/keys/{key_id}", status_code=204, response_class=Response)
def revoke_key(context: Context, user: CurrentUser, name: UserName, key_id: KeyNumber) -> Response:
    """Revoke a key: its clients are logged out."""
    _accounts_for(context, user, name).revoke(name, key_id)
    return Response(status_code=204)


@router.post("/users/{name}/application-password", responses={200: {"model": ApplicationPassword}})
def show_application_password(context: Context, user: CurrentUser, name: UserName) -> Document:
    """Return the application password, made on first use: for players that send tokens. Only the user may see it."""
    if name != user.name:
        raise HTTPException(403, "only the user may see the own application password")
    shown = _accounts(context).application_password(name)
    return Document({"password": shown}, headers={"Cache-Control": "no-store"})


def _accounts(context: ServerContext) -> Accounts:
    if context.accounts is None:
        raise _without_users()
    return context.accounts


def _accounts_for(context: ServerContext, user: CurrentUser, name: str) -> Accounts:
    """Return the accounts; raise HTTPException 403 unless a user may manage the keys of that name."""
    if name != user.name and not user.admin:
        raise HTTPException(403, "only an administrator may do this for another user")
    return _accounts(context)


def _without_users() -> EngineError:
    return OutputError(
        "this server lets everybody in: it was started without users",
        hint="`engine user add NAME --admin` makes the first; then start the server again",
    )
