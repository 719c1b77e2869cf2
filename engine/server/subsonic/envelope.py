"""The envelope of an answer, as JSON, JSONP or XML."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

from starlette.responses import Response

import engine
from engine.db.text import clean
from engine.server.responses import encode

API_VERSION = "1.16.1"
NAMESPACE = "http://subsonic.org/restapi"
CALLBACK = re.compile(r"[A-Za-z_$][\w$.]{0,99}")
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

GENERIC, MISSING, WRONG_LOGIN, NO_TOKENS, UNKNOWN_MECHANISM = 0, 10, 40, 41, 42
CONFLICTING, BAD_KEY, FORBIDDEN, NOT_FOUND = 43, 44, 50, 70


class SubsonicError(Exception):
    """A request that failed: a number of the protocol, and one line."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def answer(content: dict[str, Any], form: str, callback: str = "") -> Response:
    """Return a successful answer in a form: "json", "jsonp", and XML for any other."""
    return _respond({"status": "ok", **_header(), **content}, form, callback)


def failure(error: SubsonicError, form: str, callback: str = "", status: int = 200) -> Response:
    """Return the answer to a request that failed."""
    fault = {"code": error.code, "message": error.message}
    return _respond({"status": "failed", **_header(), "error": fault}, form, callback, status)


def _header() -> dict[str, Any]:
    return {"version": API_VERSION, "type": "engine", "serverVersion": engine.__version__, "openSubsonic": True}


def _respond(content: dict[str, Any], form: str, callback: str, status: int = 200) -> Response:
    if form == "json":
        return Response(encode({"subsonic-response": content}), status, media_type="application/json")
    if form == "jsonp" and CALLBACK.fullmatch(callback):
        body = callback.encode() + b"(" + encode({"subsonic-response": content}) + b");"
        return Response(body, status, media_type="application/javascript")
    root = ElementTree.Element("subsonic-response", {"xmlns": NAMESPACE})
    _fill(root, content)
    body = ElementTree.tostring(root, "utf-8", xml_declaration=True)
    return Response(body, status, media_type="application/xml")


def _fill(element: ElementTree.Element, content: dict[str, Any]) -> None:
    """Write a dictionary into an element: plain values as attributes, `value` as its text, the rest as children."""
    for name, value in content.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                _fill(ElementTree.SubElement(element, name), item)
            elif isinstance(value, list):
                ElementTree.SubElement(element, name).text = _text(item)
            elif name == "value":
                element.text = _text(item)
            else:
                element.set(name, _text(item))


def _text(value: object) -> str:
    """Return a value as XML text; characters that XML does not allow become U+FFFD."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return NOT_XML.sub("�", clean(str(value)))
