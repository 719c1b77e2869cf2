"""The formats that FFmpeg may read: audio and video in one file, and none whose demuxer opens anything else.

Some demuxers open further files, devices or addresses: playlists, manifests, session descriptions, image sequences,
scripts, captures. `DEMUXERS` is a white list without them; names unknown to a build of FFmpeg are ignored. Raw streams,
which have no header, are recognised by the file's extension.
"""

from __future__ import annotations

import os

MUSIC = """
    3g2 3gp aa aac ac3 ac4 act aiff amr amrnb amrwb apac ape asf asf_o ast au avi caf dsf dts dtshd eac3 flac flv
    iamf iff ircam loas m4a matroska mlp mov mp3 mp4 mpc mpc8 mpeg mpegts mxf nistsphere nsv nut ogg oma osq paf qcp
    qoa rka rm shn sox tak truehd tta voc vqf w64 wav wavarc webm wsd wtv wv xwma
"""
OTHER_AUDIO = """
    3dostr aax ace acm adp ads adx aea afc aix alp apc apm argo_asf argo_brp argo_cvg avr bfstm binka bit boa bonk
    brstm codec2 dcstr derf dss ea_cdata epaf fsb fwse g723_1 genh hca hcom ilbc iss kvag laf lc3 lvf mca mmf msf
    mtaf musx nsp pp_bnk pvf redspark rsd s337m scd sdns sdr2 sds sdx siff sol spdif svag svs txd vag vpk wady wsaud
    wve xa xmd xvag
"""
OTHER_VIDEO = """
    4xm avs bethsoftvid bfi bink bmv c93 cdxl cine dfa dhav dsicin dv dxa ea film_cpk gdv gxf hnm hxvs idcin ifv
    ipmovie ivr jv kux lmlm4 luodat lxf mgsts mlv mm mods moflex mtv mv mvi mxg nc nuv pmp psxstr pva r3d rl2 roq
    rpl sga simbiosis_imx smjpeg smk smush swf thp tiertexseq tmv ty usm vividas vivo vmd wc3movie wsvqa xmv yop
"""
TRACKERS = "libgme libmodplug libopenmpt"  # in builds of FFmpeg that have such a library
RAW = "alaw aptx aptx_hd daud dfpwm g722 g728 g729 gsm mulaw rso s16le s8 sbc sln u16le u8"

DEMUXERS = ",".join([*MUSIC.split(), *OTHER_AUDIO.split(), *OTHER_VIDEO.split(), *TRACKERS.split(), *RAW.split()])
"""All permitted demuxers, for FFmpeg's option `format_whitelist`."""
MUSIC_DEMUXERS = ",".join(MUSIC.split())
"""Those permitted for files with other extensions; arbitrary data is seldom mistaken for one of these."""

_RAW_NAMES = "302 722 al aptx aptxhd daud dfpwm g722 g723_1 g728 g729 gsm msbc rco rso sb sbc sln sw tco ub ul uw"
RAW_EXTENSIONS = {name: name for name in _RAW_NAMES.split()} | {"alaw": "al", "mulaw": "ul", "ulaw": "ul"}
"""Extensions of raw streams, without the dot -> the extension by which FFmpeg knows the format."""
TEXT_PROBE_BYTES = 512  # a file that begins with this much text is not a raw stream
TEXT_BYTES = bytes([*range(0x20, 0x7F), *b"\t\n\r\f"])

_MEDIA = """
    3g2 3gp 3gpp 8svx aa aa3 aac aax ac3 ac4 acm ads adts adx aea afc aif aifc aiff aix alac amr amv ape apm aptx
    aptxhd asf ast au avi avr awb bcstm bfstm bik binka bk2 bonk brstm caf cdxl cpk dff dfpwm dif dsf dss dtk dts
    dtshd dv eac3 ec3 f4a f4b f4v flac flv fsb g722 g723_1 g728 g729 genh gsm gxf hca iamf ilbc ircam isma ismv kvag
    latm lc3 loas m1a m2a m2t m2ts m4a m4b m4p m4r m4v mac mca mj2 mk3d mka mkv mlp mmf moflex mov mp+ mp1 mp2 mp3
    mp4 mpa mpc mpe mpeg mpg mpp msbc msf mtaf mts musx mxf nist nsv nut nuv oga ogg ogm ogv ogx oma omg opus osq
    paf psp pvf qcp qoa qt ra rf64 rka rm rmvb roq sbc sds shn sln smk snd sox sph spx svag swf tak thd thp tod trp
    truehd ts tta ty+ usm vag viv vob voc vqe vqf vql w64 wav wave weba webm wma wmv wsd wtv wv wve xmv xvag xwma
"""
_AMBIGUOUS = """
    302 669 722 adp al alaw amf apc aud ay c2 dat daud dbm dsm fap far film gbs gdm hcom hes iff imf it itz ivr j2b
    kss laf lvf m15 mdl mdz med mo3 mod mptm mt2 mtm mulaw nsf nsfe nsp okt pcm plm psm ptm rco rpl rsd rso s3m s3z
    sap sb scd sdr2 sdx sf sfx son spc stk stm str sw tco ty ub ul ulaw ult umx uw v vgm vgz vpk wa wady way xa xm
    xmz
"""

MEDIA_EXTENSIONS = frozenset(f".{name}".encode() for name in _MEDIA.split())
"""Lower-case extensions of audio and video: a file without sound is reported."""
AMBIGUOUS_EXTENSIONS = frozenset(f".{name}".encode() for name in _AMBIGUOUS.split())
"""Lower-case extensions that audio formats share with other files: try every demuxer, ignore failures."""


def has_media_extension(path: bytes) -> bool:
    """Return whether a path ends in the extension of an audio or video file, in any case."""
    return _extension(path) in MEDIA_EXTENSIONS


def demuxers_for(path: bytes) -> str:
    """Return the demuxers to try for a file found by a scan; see `DEMUXERS`."""
    known = _extension(path) in MEDIA_EXTENSIONS | AMBIGUOUS_EXTENSIONS
    return DEMUXERS if known else MUSIC_DEMUXERS


def name_for_ffmpeg(path: bytes, head: bytes) -> str:
    """Return the name to give FFmpeg for a file: with the extension of its raw format, or without one.

    Args:
        path: Of the file.
        head: Its first TEXT_PROBE_BYTES, to recognise text with a misleading extension.
    """
    known = RAW_EXTENSIONS.get(_extension(path)[1:].decode("ascii", "replace"))
    is_text = not head.translate(None, TEXT_BYTES)
    return f"sound.{known}" if known and not is_text else "sound"


def _extension(path: bytes) -> bytes:
    return os.path.splitext(path)[1].lower()  # noqa: PTH122 (bytes)
