"""How each style is played: by name, a function that plays a song on a new score."""

from collections.abc import Callable

from ..score import Score, Song
from .concert import classical, jazz
from .dance import disco, latin, reggae
from .heavy import hiphop, metal
from .roots import blues, folk

STYLES: dict[str, Callable[[Song], Score]] = {
    "blues": blues,
    "classical": classical,
    "disco": disco,
    "folk": folk,
    "hiphop": hiphop,
    "jazz": jazz,
    "latin": latin,
    "metal": metal,
    "reggae": reggae,
}
