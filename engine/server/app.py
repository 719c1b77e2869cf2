"""The web application: routes, errors, security headers, startup and shutdown."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import to_thread
from fastapi import Depends, FastAPI
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.responses import Response

import engine
from engine.library import Engine
from engine.server import audiomuse, login, problems
from engine.server.accounts import Accounts
from engine.server.api import (
    collections,
    favourites,
    jobs,
    playlists,
    saved_playlists,
    similar,
    tracks,
    uploads,
    users,
)
from engine.server.context import Context, ServerContext
from engine.server.file_questions import FileQuestions
from engine.server.jobs import Jobs
from engine.server.logs import LogRequests
from engine.server.media.files import MediaFiles
from engine.server.metrics import CountRequests, Metrics
from engine.server.page import files as page
from engine.server.playing import NowPlaying
from engine.server.remote_embedding import RemoteEmbedder
from engine.server.routes import API as API, SubPath
from engine.server.security import Security
from engine.server.settings import ServerSettings
from engine.server.subsonic.router import router as subsonic_router
from engine.server.uploads import Uploads
from engine.server.user_data import UserData
from engine.server.watcher import Watcher

CONCURRENT_REQUESTS = 8  # more threads wait for each other and take more memory
GZIP_LEVEL = 6
NOT_COMPRESSED = (*DEFAULT_EXCLUDED_CONTENT_TYPES, "application/octet-stream")  # sound of rare formats
ROUTERS = (
    tracks.router,
    similar.router,
    collections.router,
    playlists.router,
    saved_playlists.router,
    favourites.router,
    users.router,
    uploads.router,
    jobs.router,
)


def create_app(library: Engine, settings: ServerSettings) -> FastAPI:
    """Return the application that serves an open library; it closes the services that it starts, not the library.

    Args:
        library: An open library.
        settings: How the server behaves.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # An encoded stream holds a thread while it waits for its decoder.
        to_thread.current_default_thread_limiter().total_tokens = CONCURRENT_REQUESTS + settings.transcodes
        context = _context(library, settings)
        app.state.context = context
        try:
            yield
        finally:
            library.embed_with(None)
            context.close()

    app = FastAPI(
        title="Engine",
        version=engine.__version__,
        summary="Music that sounds alike.",
        description="Answers are the documents of the command line's `--json`. Times and lengths are in seconds.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{API}/openapi.json",
    )
    problems.install(app)
    app.include_router(login.router, prefix=API)
    for router in ROUTERS:
        app.include_router(router, prefix=API, dependencies=[Depends(login.current_user)])
    app.include_router(audiomuse.router, dependencies=[Depends(login.current_user)], include_in_schema=False)
    app.include_router(subsonic_router, include_in_schema=False)

    @app.get("/healthz", include_in_schema=False)
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    page.install(app)
    metrics = Metrics()

    @app.get("/metrics", include_in_schema=False, dependencies=[Depends(login.current_admin)])
    def show_metrics(context: Context) -> Response:
        return metrics.answer(context)

    app.add_middleware(GZipMiddleware, compresslevel=GZIP_LEVEL, exclude_content_types=NOT_COMPRESSED)
    app.add_middleware(CountRequests, metrics=metrics)
    app.add_middleware(Security, names=settings.names)
    if settings.log_requests:
        app.add_middleware(LogRequests)
    app.add_middleware(SubPath, root_path=settings.root_path)
    return app


def _context(library: Engine, settings: ServerSettings) -> ServerContext:
    opened = (library.database.path, str(library.weights), library.threads)
    jobs, files = Jobs(*opened), FileQuestions(*opened)
    library.embed_with(RemoteEmbedder(files))
    return ServerContext(
        library,
        settings,
        jobs,
        MediaFiles(settings.transcodes, library.threads),
        Uploads(settings),
        files,
        NowPlaying(),
        UserData(library.database),
        Accounts(library.database) if settings.accounts else None,
        Watcher(library, jobs) if settings.watch else None,
    )
