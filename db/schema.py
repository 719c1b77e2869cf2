"""The tables of a library, version 7.

tracks          one row per audio file that has been read; its id never changes and is never reused
skipped         files that gave no signature, with the reason, so that the next run need not read them again; beside a
                track: its file could not be read the last time
roots           the files and folders that the user indexed
signatures      one vector per track, encoder and coverage; a replaced signature gets a new, higher id
segments        the windows behind a signature: a separate table, so that a scan of signatures reads little
settings        short texts by name
vector_indexes  the contents of the vector index file on disk
fingerprints    identify recordings across files, with the stream's codec and bit rate (since version 2)
audio_features  tempo, key, loudness: only of tracks measured on request (since version 2)
aspects         rhythm and harmony as vectors, by the kind that names the computation and its version (since version 5)
plays           events (play, skip or like) with track, time and user (since version 2; users since version 7)
words           probabilities of the encoder's words for a signature, for encoders that have words (since version 3)

search_texts    the folded texts that `engine.db.text_search` searches, with its FTS5 tables beside it (since version 4)

users, access_keys                                       of a server (since version 6)
stars, ratings, playlists, playlist_tracks, play_queues  the data of its listeners (since version 6)

Paths are BLOBs: the bytes of a file name need not be UTF-8. Vectors are BLOBs of little-endian floats. This module
contains no queries.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint as Unique,
)

from engine.db.dialects.types import BLOB, CLUSTERED, STABLE_IDS, TEXT

SCHEMA_VERSION = 7
OLDEST_VERSION = 1  # the oldest version that is migrated on opening
APPLICATION_ID = 0x456E674E  # "EngN", in the header of every library file
COVERAGES = ("windows", "full")
LOCAL_USER = "local"  # of the command line, and of a server without accounts

metadata = MetaData()

tracks = Table(
    "tracks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("path", BLOB, nullable=False, unique=True),  # os.fsencode of the absolute path
    Column("size", Integer, nullable=False),  # bytes
    Column("mtime_ns", Integer, nullable=False),
    Column("content_hash", BLOB, nullable=False, index=True),
    Column("duration_seconds", Float, nullable=False),
    Column("artist", TEXT),
    Column("title", TEXT),
    Column("album", TEXT),
    Column("album_artist", TEXT),
    Column("genre", TEXT),  # the tag as written in the file
    Column("year", Integer),
    Column("recording_id", TEXT),  # MusicBrainz
    Column("isrc", TEXT),
    Column("added_at", Integer, nullable=False),  # seconds since 1970, when the track was first seen
    **STABLE_IDS,
)

search_texts = Table(
    "search_texts",
    metadata,
    Column("track_id", Integer, ForeignKey("tracks.id", ondelete="CASCADE"), primary_key=True),
    Column("title", TEXT, nullable=False),
    Column("artist", TEXT, nullable=False),
    Column("album", TEXT, nullable=False),
    Column("genre", TEXT, nullable=False),
    Column("year", TEXT, nullable=False),
    Column("path", TEXT, nullable=False),
    Column("words", TEXT, nullable=False),  # all of them, with characters of scripts without spaces separated
)

skipped = Table(
    "skipped",
    metadata,
    Column("path", BLOB, primary_key=True),
    Column("size", Integer, nullable=False),
    Column("mtime_ns", Integer, nullable=False),
    Column("failed", Boolean, nullable=False),  # True: it should have given a signature; False: it holds no audio
    Column("reason", TEXT, nullable=False),
)

roots = Table("roots", metadata, Column("path", BLOB, primary_key=True))

signatures = Table(
    "signatures",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("track_id", Integer, ForeignKey("tracks.id", ondelete="CASCADE"), nullable=False),
    Column("encoder", TEXT, nullable=False),  # name@hash
    Column("coverage", TEXT, nullable=False),
    Column("vector", BLOB, nullable=False),  # float32 (D,), unit norm
    Column("genres", BLOB, nullable=False),  # float32, probabilities
    Column("moods", BLOB, nullable=False),  # float32, probabilities
    Unique("track_id", "encoder", "coverage"),
    CheckConstraint("coverage IN ('windows', 'full')"),
    Index("signatures_by_encoder", "encoder", "coverage", "id", "track_id"),
    **STABLE_IDS,
)

segments = Table(
    "segments",
    metadata,
    Column("signature_id", Integer, ForeignKey("signatures.id", ondelete="CASCADE"), primary_key=True),
    Column("starts", BLOB, nullable=False),  # float32 (S,), seconds
    Column("attention", BLOB, nullable=False),  # float32 (S,)
    Column("vectors", BLOB, nullable=False),  # float16 (S, D)
)

words = Table(
    "words",
    metadata,
    Column("signature_id", Integer, ForeignKey("signatures.id", ondelete="CASCADE"), primary_key=True),
    Column("probabilities", BLOB, nullable=False),  # float16 (V,)
)

settings = Table("settings", metadata, Column("key", TEXT, primary_key=True), Column("value", TEXT, nullable=False))

vector_indexes = Table(
    "vector_indexes",
    metadata,
    Column("encoder", TEXT, primary_key=True),
    Column("coverage", TEXT, primary_key=True),
    Column("file_digest", TEXT, nullable=False),
    Column("last_signature_id", Integer, nullable=False),
)

fingerprints = Table(
    "fingerprints",
    metadata,
    Column("track_id", Integer, ForeignKey("tracks.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", TEXT, primary_key=True),  # the algorithm and its version
    Column("fingerprint", BLOB, nullable=False),  # uint32, in the order of time
    Column("codec", TEXT),
    Column("bitrate", Integer),  # bits a second
)

audio_features = Table(
    "audio_features",
    metadata,
    Column("track_id", Integer, ForeignKey("tracks.id", ondelete="CASCADE"), primary_key=True),
    Column("tempo", Float),  # beats a minute
    Column("key", TEXT),  # "A minor"
    Column("loudness", Float),  # LUFS, integrated
)

aspects = Table(
    "aspects",
    metadata,
    Column("track_id", Integer, ForeignKey("tracks.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", TEXT, primary_key=True),  # the algorithm and its version
    Column("vector", BLOB, nullable=False),  # float16 (D,), unit norm
    **CLUSTERED,
)

plays = Table(
    "plays",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("track_id", Integer, ForeignKey("tracks.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("time", Float, nullable=False),  # seconds since 1970
    Column("event", TEXT, nullable=False),
    Column("user", TEXT, nullable=False, server_default=LOCAL_USER),
    CheckConstraint("event IN ('play', 'skip', 'like')"),
)

users = Table(
    "users",
    metadata,
    Column("name", TEXT, primary_key=True),
    Column("password_hash", TEXT, nullable=False),  # argon2
    Column("admin", Boolean, nullable=False),
    Column("application_password", TEXT),  # readable: the tokens of OpenSubsonic need it
    Column("created_at", Float, nullable=False),  # seconds since 1970, like all times below
)

access_keys = Table(
    "access_keys",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user", TEXT, ForeignKey("users.name", ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", TEXT, nullable=False),
    Column("label", TEXT, nullable=False),
    Column("digest", BLOB, nullable=False, unique=True),  # SHA-256 of the secret
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float),
    Column("used_at", Float),  # empty: a write for each use would make every cache of the library outdated
    CheckConstraint("kind IN ('key', 'session')"),
)

# No foreign keys to tracks below: see engine.db.user_data.
stars = Table(
    "stars",
    metadata,
    Column("user", TEXT, primary_key=True),
    Column("item", TEXT, primary_key=True),  # id of a track, album or artist
    Column("starred_at", Float, nullable=False),
)

ratings = Table(
    "ratings",
    metadata,
    Column("user", TEXT, primary_key=True),
    Column("item", TEXT, primary_key=True),
    Column("rating", Integer, nullable=False),
    CheckConstraint("rating BETWEEN 1 AND 5"),
)

playlists = Table(
    "playlists",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("owner", TEXT, nullable=False, index=True),
    Column("name", TEXT, nullable=False),
    Column("comment", TEXT, nullable=False),
    Column("public", Boolean, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("changed_at", Float, nullable=False),
    **STABLE_IDS,
)

playlist_tracks = Table(
    "playlist_tracks",
    metadata,
    Column("playlist_id", Integer, ForeignKey("playlists.id", ondelete="CASCADE"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("track_id", Integer, nullable=False),
)

play_queues = Table(
    "play_queues",
    metadata,
    Column("user", TEXT, primary_key=True),
    Column("tracks", TEXT, nullable=False),  # ids, separated by spaces
    Column("current", Integer),
    Column("position_ms", Integer, nullable=False),
    Column("changed_at", Float, nullable=False),
    Column("changed_by", TEXT, nullable=False),
)
