"""The styles, a file each: `songs` lists its pieces and `play` plays one of them on a new score."""

from ..mixer import Rendering
from ..song import Song
from . import blues, classical, disco, folk, hiphop, jazz, latin, metal, reggae

STYLES = {
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


def collection() -> list[Song]:
    """Every piece, in a fixed order."""
    return [song for style in STYLES.values() for song in style.songs()]


def render(song: Song) -> Rendering:
    """Play a song: its stems (drums, bass, harmony, lead) and their mix. The same song gives the same samples."""
    return STYLES[song.style].play(song).render()
