"""The state shared by the routes of one server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from engine.library import Engine
from engine.server.accounts import Accounts
from engine.server.file_questions import FileQuestions
from engine.server.jobs import Jobs
from engine.server.media.files import MediaFiles
from engine.server.playing import NowPlaying
from engine.server.settings import ServerSettings
from engine.server.uploads import Uploads
from engine.server.user_data import UserData
from engine.server.watcher import Watcher


@dataclass(frozen=True, eq=False)
class ServerContext:
    """An open library and the services beside it.

    Attributes:
        accounts: None for a server on which every client is the local user.
        watcher: None unless changes are watched.
    """

    library: Engine
    settings: ServerSettings
    jobs: Jobs
    media: MediaFiles
    uploads: Uploads
    files: FileQuestions
    playing: NowPlaying
    user_data: UserData
    accounts: Accounts | None
    watcher: Watcher | None

    def close(self) -> None:
        """End jobs, streams and processes, and remove uploads."""
        if self.watcher is not None:
            self.watcher.close()
        self.jobs.close()
        self.files.close()
        self.media.close()
        self.uploads.close()


def context_of(request: Request) -> ServerContext:
    """Return the context of the app that a request reached."""
    context: ServerContext = request.app.state.context
    return context


Context = Annotated[ServerContext, Depends(context_of)]
