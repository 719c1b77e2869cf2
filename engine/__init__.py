"""Engine finds music that sounds alike.

>>> from engine import Engine                               # doctest: +SKIP
>>> with Engine.open("library.db") as library:              # doctest: +SKIP
...     library.index("music")
...     library.similar("track.flac", k=5).matches

The public names are declared in `__init__.pyi` and load on first use (PEP 562): importing `engine` or `engine.errors`
loads neither torch nor FAISS.
"""

from __future__ import annotations

from typing import Any

import lazy_loader

_load, _names, _exported = lazy_loader.attach_stub(__name__, __file__)

__all__ = [*_exported, "__version__"]


def __getattr__(name: str) -> Any:
    """Load a public name from its module."""
    if name == "__version__":
        from importlib.metadata import version

        return version("music-engine")
    return _load(name)


def __dir__() -> list[str]:
    return sorted(__all__)
