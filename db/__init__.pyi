from .aspects import (
    AspectMatrix as AspectMatrix,
    aspect_matrix as aspect_matrix,
    count_aspects as count_aspects,
    get_aspects as get_aspects,
    put_aspects as put_aspects,
    tracks_without_aspects as tracks_without_aspects,
)
from .audio_features import (
    AudioFeatures as AudioFeatures,
    any_measured as any_measured,
    get_audio_features as get_audio_features,
    put_audio_features as put_audio_features,
    unmeasured_tracks as unmeasured_tracks,
)
from .catalogue import (
    CatalogueRow as CatalogueRow,
    PlayCount as PlayCount,
    added_times as added_times,
    catalogue_rows as catalogue_rows,
    play_counts as play_counts,
)
from .files import (
    FailedFile as FailedFile,
    FileState as FileState,
    add_root as add_root,
    count_failed as count_failed,
    failed_files as failed_files,
    forget_skipped as forget_skipped,
    known_files as known_files,
    put_skipped as put_skipped,
    remove_roots as remove_roots,
    roots as roots,
)
from .fingerprints import (
    Fingerprint as Fingerprint,
    Namesakes as Namesakes,
    fingerprint_kinds as fingerprint_kinds,
    get_fingerprints as get_fingerprints,
    namesakes as namesakes,
    put_fingerprints as put_fingerprints,
)
from .moving import (
    relocate as relocate,
)
from .plays import (
    EVENTS as EVENTS,
    Play as Play,
    add_plays as add_plays,
    list_plays as list_plays,
)
from .schema import (
    COVERAGES as COVERAGES,
    SCHEMA_VERSION as SCHEMA_VERSION,
)
from .segments import (
    SegmentBlock as SegmentBlock,
    segment_blocks as segment_blocks,
)
from .session import (
    Database as Database,
    open_database as open_database,
)
from .settings import (
    get_setting as get_setting,
    set_setting as set_setting,
)
from .signatures import (
    EncoderCount as EncoderCount,
    Prediction as Prediction,
    Signature as Signature,
    encoders as encoders,
    get_signature as get_signature,
    missing_tracks as missing_tracks,
    predictions as predictions,
    put_signature as put_signature,
    words_of_tracks as words_of_tracks,
)
from .tag_reading import (
    leave_to_read as leave_to_read,
    tracks_to_read as tracks_to_read,
)
from .track_filters import (
    GROUPS as GROUPS,
    Conditions as Conditions,
    GroupNames as GroupNames,
    Labels as Labels,
    Span as Span,
    group_names as group_names,
    groups_of as groups_of,
    labels_of_tracks as labels_of_tracks,
    names_of as names_of,
    tracks_by_names as tracks_by_names,
    tracks_meeting as tracks_meeting,
)
from .tracks import (
    NewTrack as NewTrack,
    Track as Track,
    TrackIdentity as TrackIdentity,
    count_tracks as count_tracks,
    ids_by_hash as ids_by_hash,
    ids_by_paths as ids_by_paths,
    move_track as move_track,
    remove_tracks as remove_tracks,
    search as search,
    touch_track as touch_track,
    track_by_id as track_by_id,
    track_by_path as track_by_path,
    track_identities as track_identities,
    tracks_below as tracks_below,
    tracks_by_genre as tracks_by_genre,
    tracks_by_hash as tracks_by_hash,
    tracks_by_ids as tracks_by_ids,
    upsert_track as upsert_track,
)
from .vectors import (
    SignatureIds as SignatureIds,
    SignatureMatrix as SignatureMatrix,
    SignatureState as SignatureState,
    VectorIndex as VectorIndex,
    get_vector_index as get_vector_index,
    live_ids as live_ids,
    matrix as matrix,
    matrix_by_track as matrix_by_track,
    put_vector_index as put_vector_index,
    signature_state as signature_state,
    track_of_signatures as track_of_signatures,
    vectors_of_tracks as vectors_of_tracks,
)
from .words import WordBatch as WordBatch, word_batches as word_batches
