"""Files outside the library: uploaded, queried, and deleted after an hour."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel

from engine.errors import EngineError
from engine.explain.results import Explanation
from engine.search.results import Classification, QueryResult
from engine.server.api.parameters import Count
from engine.server.context import Context, ServerContext
from engine.server.problems import RESPONSES
from engine.server.responses import Document

router = APIRouter(tags=["uploads"], responses=RESPONSES)

UploadId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]


class UploadDocument(BaseModel):
    """An uploaded file; `size` is in bytes, `expires_at` in seconds since 1970."""

    id: str
    name: str
    size: int
    expires_at: float


@router.post(
    "/uploads",
    status_code=201,
    responses={201: {"model": UploadDocument}},
    openapi_extra={"requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {}}}}},
)
async def upload(
    context: Context, request: Request, name: Annotated[str, Query(max_length=1000, description="For display.")] = ""
) -> Document:
    """Upload an audio file: its bytes are the body of the request."""
    made = asdict(await context.uploads.receive(name, request.stream()))
    del made["path"]
    return Document(made, status_code=201)


@router.get("/uploads/{upload_id}/similar", responses={200: {"model": QueryResult}})
def similar(context: Context, upload_id: UploadId, k: Count = 5) -> Document:
    """Return the tracks that sound like an uploaded file, its genres and moods."""
    return _answer(context, upload_id, "similar", k=k)


@router.get("/uploads/{upload_id}/classify", responses={200: {"model": Classification}})
def classify(context: Context, upload_id: UploadId) -> Document:
    """Return the genres, moods and tags of an uploaded file."""
    return _answer(context, upload_id, "classify")


@router.get("/uploads/{upload_id}/explain", responses={200: {"model": Explanation}})
def explain(context: Context, upload_id: UploadId) -> Document:
    """Return the attention over an uploaded file."""
    return _answer(context, upload_id, "explain")


def _answer(context: ServerContext, upload_id: str, question: str, **options: Any) -> Document:
    """Return an answer with the uploaded file's name in place of its path on the server."""
    file = context.uploads.get(upload_id)
    try:
        answer = context.files.ask(question, file.path, **options)
    except EngineError as error:
        raise type(error)(error.message.replace(str(file.path), file.name), hint=error.hint) from error
    if "path" in answer:
        answer["path"] = file.name
    return Document(answer)
