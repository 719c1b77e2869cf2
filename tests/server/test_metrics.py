"""Figures for Prometheus, and routes by their templates. Covers engine.server.metrics and routes."""

from __future__ import annotations

from starlette.testclient import TestClient

from tests.conftest import GENRES


def test_requests_are_counted_by_route(client: TestClient) -> None:
    """Values and foreign paths are no labels: they would grow without end."""
    client.get("/api/v1/tracks/7")
    client.get("/api/v1/tracks/999")
    client.get("/rest/ping.view")
    client.get("/rest/secret-word")
    client.get("/another-secret-word")
    client.get("/page/app.js")
    client.get("/page/third-secret-word")
    figures = client.get("/metrics").text
    assert 'engine_requests_total{route="/api/v1/tracks/{track_id}",status="404"} 1.0' in figures
    assert 'engine_requests_total{route="/rest/ping",status="200"} 1.0' in figures
    assert 'engine_requests_total{route="/page/{file}",status="200"} 1.0' in figures
    assert f"engine_tracks {float(len(GENRES))}" in figures
    assert "secret-word" not in figures
    assert "tracks/999" not in figures


def test_figures_are_for_administrators(secured: TestClient) -> None:
    """With users, only an administrator reads the figures."""
    assert secured.get("/metrics").status_code == 401
    assert secured.get("/metrics", auth=("bob", "battery staple")).status_code == 403
    assert secured.get("/metrics", auth=("ann", "correct horse")).status_code == 200
