from .db import (
    AudioFeatures as AudioFeatures,
)
from .db.plays import (
    Play as Play,
)
from .errors import (
    AudioError as AudioError,
    BusyError as BusyError,
    DeviceError as DeviceError,
    EncoderError as EncoderError,
    EngineError as EngineError,
    InvalidError as InvalidError,
    LibraryError as LibraryError,
    NotFoundError as NotFoundError,
    OutputError as OutputError,
    QueryError as QueryError,
    SignatureError as SignatureError,
    TrainingError as TrainingError,
    UnavailableError as UnavailableError,
)
from .genres.attention import (
    AttentionStatistics as AttentionStatistics,
)
from .indexer.pipeline.cancelling import (
    CancelToken as CancelToken,
)
from .indexer.pipeline.reports import (
    FailedPath as FailedPath,
    IndexProgress as IndexProgress,
    IndexReport as IndexReport,
    MeasureReport as MeasureReport,
)
from .library import (
    Engine as Engine,
)
from .recommend.history import (
    RecentlyHeard as RecentlyHeard,
)
from .search.filters import (
    Filters as Filters,
)
from .search.ranking import (
    Ranking as Ranking,
)
from .search.results import (
    CentroidDistance as CentroidDistance,
    Classification as Classification,
    EncoderTracks as EncoderTracks,
    FoundTrack as FoundTrack,
    GenreProbability as GenreProbability,
    GroupMatch as GroupMatch,
    Match as Match,
    MoodProbability as MoodProbability,
    QueryResult as QueryResult,
    Seed as Seed,
    Span as Span,
    Stats as Stats,
    TagCount as TagCount,
    TagProbability as TagProbability,
    UnderstoodWords as UnderstoodWords,
    ValenceProbability as ValenceProbability,
)

__version__: str

from .backup.results import Backup as Backup, Restored as Restored
from .doctor.results import CheckReport as CheckReport, Finding as Finding
from .duplicates.results import (
    DuplicateGroup as DuplicateGroup,
    Duplicates as Duplicates,
    DuplicateTrack as DuplicateTrack,
)
from .explain.results import (
    AspectExplanation as AspectExplanation,
    AspectLikeness as AspectLikeness,
    Explanation as Explanation,
    Moment as Moment,
    PairExplanation as PairExplanation,
    WindowPair as WindowPair,
)
from .find.results import (
    FindResult as FindResult,
    FoundByWords as FoundByWords,
    MatchedTag as MatchedTag,
)
from .genres.results import (
    GenreEquation as GenreEquation,
    GenreRelations as GenreRelations,
    GenreSummary as GenreSummary,
)
from .map.results import LibraryMap as LibraryMap, MapPoint as MapPoint
from .playlists.results import MixStep as MixStep, Playlist as Playlist, PlaylistTrack as PlaylistTrack
from .recommend.results import Recommendations as Recommendations, RecommendedTrack as RecommendedTrack
from .tags.results import TagChange as TagChange, TagReport as TagReport
