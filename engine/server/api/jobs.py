"""Indexing: start, watch and cancel runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field
from starlette.responses import StreamingResponse

from engine.errors import InvalidError
from engine.search.references import absolute_path
from engine.server.context import Context
from engine.server.jobs import IndexSettings, Job
from engine.server.login import current_admin
from engine.server.problems import RESPONSES
from engine.server.responses import Document, encode

router = APIRouter(tags=["jobs"], responses=RESPONSES)

JobNumber = Annotated[int, Path(ge=1, le=2**63 - 1, examples=[1])]
QUIET_SECONDS = 15.0  # after which an event stream sends a comment, so that proxies keep it open


class NewJob(BaseModel):
    """Files and folders of the server to index; without any, those that were indexed before."""

    paths: list[Annotated[str, Field(min_length=1, max_length=4096)]] = Field([], max_length=1000)
    prune: bool = Field(False, description="Remove tracks whose files are gone.")
    retry: bool = Field(False, description="Retry files that failed before.")


class JobList(BaseModel):
    """Waiting, running and ended jobs, the newest first."""

    jobs: list[Job]


@router.post("/jobs", status_code=201, dependencies=[Depends(current_admin)], responses={201: {"model": Job}})
def create_job(context: Context, new: NewJob) -> Document:
    """Start an indexing job, after those that are waiting."""
    paths = tuple(new.paths) or context.library.roots()
    if not paths:
        raise InvalidError("expected a folder to index, found none", hint="name one in paths")
    for path in paths:
        absolute_path(path)
    job = context.jobs.create(IndexSettings(paths, new.prune, new.retry))
    return Document(asdict(job), status_code=201)


@router.get("/jobs", responses={200: {"model": JobList}})
def list_jobs(context: Context) -> Document:
    """List jobs, the newest first."""
    return Document({"jobs": [asdict(job) for job in context.jobs.all()]})


@router.get("/jobs/{number}", responses={200: {"model": Job}})
def get_job(context: Context, number: JobNumber) -> Document:
    """Return a job's state."""
    return Document(asdict(context.jobs.get(number)))


@router.delete("/jobs/{number}", dependencies=[Depends(current_admin)], responses={200: {"model": Job}})
def cancel_job(context: Context, number: JobNumber) -> Document:
    """Cancel a job; its stored results remain."""
    return Document(asdict(context.jobs.cancel(number)))


@router.get(
    "/jobs/{number}/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}},
)
def follow_job(context: Context, number: JobNumber) -> StreamingResponse:
    """Follow a job by server-sent events: `job`, each with the whole document, until it has ended."""
    context.jobs.get(number)

    def events() -> Iterator[bytes]:
        for job in context.jobs.follow(number, QUIET_SECONDS):
            yield b": quiet\n\n" if job is None else b"event: job\ndata: " + encode(asdict(job)) + b"\n\n"

    return StreamingResponse(events(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})
