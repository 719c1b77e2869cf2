"""Compute Chromaprint fingerprints with its program `fpcalc`, if installed.

The program reads decoded sound as WAV from standard input, never a path: paths need not be UTF-8, and its own FFmpeg
would follow a playlist named .mp3. It is untrusted: it is killed after TIMEOUT_SECONDS, and at most LONGEST_ANSWER
bytes of its output are read.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import wave
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

import numpy as np

from engine.errors import reason_of
from engine.indexer.audio.samples import Samples
from engine.indexer.features.fingerprint import FRAMES_PER_SECOND, SAMPLE_RATE, SECONDS, Words

KIND = "chromaprint:1"  # frames of the same length and hop as `engine.indexer.features.fingerprint`
PROGRAM = "fpcalc"
TIMEOUT_SECONDS = 30.0
LONGEST_ANSWER = 1 << 17  # bytes; two minutes are 11 kB
AT_THE_END = 3  # exit code if it mistakes the end of the sound for an error, after valid output (FFmpeg 5)
TRIAL_SECONDS = 10
MOST_WORDS = round(2 * SECONDS * FRAMES_PER_SECOND)


class ChromaprintError(Exception):
    """The program failed or is not Chromaprint; the message gives the reason in one line."""


class Chromaprint:
    """The program at a path. Safe for concurrent use."""

    def __init__(self, program: str) -> None:
        self.program = program

    @classmethod
    def find(cls) -> Chromaprint | None:
        """Return the program on PATH, or None; raise ChromaprintError if it fails on a test signal."""
        program = shutil.which(PROGRAM)
        if program is None:
            return None
        found = cls(os.path.abspath(program))  # noqa: PTH100 (PATH may be relative)
        noise = np.random.default_rng(0).uniform(-0.3, 0.3, TRIAL_SECONDS * SAMPLE_RATE).astype(np.float32)
        if not len(found.words(noise)):
            raise ChromaprintError(f"{program} gave no fingerprint of a sound of {TRIAL_SECONDS} s")
        return found

    def words(self, samples: Samples) -> Words:
        """Return the fingerprint (T,) of sound (L,) at SAMPLE_RATE; empty if the program finds too little sound.

        Raises:
            ChromaprintError: The program cannot be run or given the sound, hangs, or prints something else.
        """
        with self._sound_file(samples) as sound, self._running(sound) as process:
            assert process.stdout is not None
            answer = process.stdout.read(LONGEST_ANSWER)
            too_long = len(answer) == LONGEST_ANSWER
            code = None if too_long else process.wait()
        if code is not None and code < 0:
            raise ChromaprintError(f"{self.program} gave no answer within {TIMEOUT_SECONDS:g} s, or crashed")
        refused = code not in (None, 0, AT_THE_END) or (code == AT_THE_END and not answer)
        return np.zeros(0, np.uint32) if refused else _parse(self.program, answer)

    def _sound_file(self, samples: Samples) -> BinaryIO:
        """Return a temporary file of sound, at its beginning; raise ChromaprintError if there is no room for it."""
        sound = None
        try:
            sound = tempfile.TemporaryFile()  # noqa: SIM115 (the caller closes it)
            _write_wave(sound, samples)
            sound.seek(0)
        except OSError as error:
            if sound is not None:
                sound.close()
            raise ChromaprintError(f"{self.program} cannot be given the sound: {reason_of(error)}") from error
        return sound

    @contextmanager
    def _running(self, sound: BinaryIO) -> Iterator[subprocess.Popen[bytes]]:
        """Start the program; kill its process group at the end of the block or after TIMEOUT_SECONDS."""
        command = [self.program, "-raw", "-json", "-length", str(SECONDS), "-"]
        try:
            process = subprocess.Popen(
                command, stdin=sound, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
            )
        except (OSError, ValueError) as error:
            raise ChromaprintError(f"{self.program} cannot be run: {error}") from error
        clock = threading.Timer(TIMEOUT_SECONDS, _kill, [process])
        clock.daemon = True
        clock.start()
        try:
            yield process
        finally:
            clock.cancel()
            _kill(process)
            assert process.stdout is not None
            process.stdout.close()
            process.wait()


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):  # all of it has ended
        os.killpg(process.pid, signal.SIGKILL)


def _write_wave(file: BinaryIO, samples: Samples) -> None:
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(SAMPLE_RATE)
        sound.writeframes((np.clip(samples, -1, 1) * 32_767).astype("<i2").tobytes())


def _parse(program: str, answer: bytes) -> Words:
    """Return the words (T,) in the program's output, {"duration": ..., "fingerprint": [...]}."""
    try:
        words = json.loads(answer)["fingerprint"]
        if not isinstance(words, list) or len(words) > MOST_WORDS or not all(type(word) is int for word in words):
            raise TypeError
        return (np.array(words, np.int64) & 0xFFFFFFFF).astype(np.uint32)  # some print signed
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise ChromaprintError(
            f"{program} printed no fingerprint; expected that of Chromaprint 1.4 or newer"
        ) from error
