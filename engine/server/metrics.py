"""Figures for Prometheus at /metrics: requests by route, their times, jobs, tracks."""

from __future__ import annotations

import time

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.server.context import ServerContext
from engine.server.jobs import ENDED
from engine.server.routes import route_of

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class Metrics:
    """Counts the requests of one application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        labels = ("route", "status")
        self._requests = Counter("engine_requests", "Requests that were answered", labels, registry=self._registry)
        self._times = Histogram(
            "engine_request_seconds",
            "Time from a request to the start of its response",
            ("route",),
            buckets=SECONDS,
            registry=self._registry,
        )
        self._tracks = Gauge("engine_tracks", "Tracks of the library", registry=self._registry)
        self._jobs = Gauge("engine_jobs", "Indexing jobs that wait or run", registry=self._registry)

    def note(self, route: str, status: int, seconds: float) -> None:
        """Count an answer."""
        self._requests.labels(route, str(status)).inc()
        self._times.labels(route).observe(seconds)

    def answer(self, context: ServerContext) -> Response:
        """Return all metrics in Prometheus' text format."""
        self._tracks.set(len(context.library.catalogue().tracks))
        self._jobs.set(sum(job.state not in ENDED for job in context.jobs.all()))
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)


class CountRequests:
    """Counts every request when its answer begins."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.monotonic()

        async def send_and_note(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._metrics.note(route_of(scope), message["status"], time.monotonic() - began)
            await send(message)

        await self._app(scope, receive, send_and_note)
