"""YAMNet (Google's AudioSet classifier, Apache-2.0) as a second teacher in training. Not used at run time.

MusiCNN distinguishes genres; YAMNet instruments, voices and textures. It runs in `ai-edge-litert` (the extra
`teachers`), imported only when the network is opened.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import TrainingError

SAMPLE_RATE = 16_000  # Hz
PATCH_SAMPLES = 15_600  # 0.975 s: 96 frames with a hop of 10 ms and a window of 25 ms
FEATURES = 1024
WORDS = 521  # AudioSet's classes
FEATURES_TENSOR = "yamnet_frames/global_average_pooling2d/Mean"
LOGITS_TENSOR = "yamnet_frames/dense/BiasAdd"
EXPECTED = {FEATURES_TENSOR: [1, FEATURES], LOGITS_TENSOR: [1, WORDS]}


class Yamnet:
    """YAMNet's penultimate layer and the logits of its 521 words.

    Args:
        weights: The network as a .tflite file of one patch, with the published tensors' names.
        threads: Number of CPU threads.

    Raises:
        TrainingError: `ai-edge-litert` is not installed, or the file is missing or is not YAMNet.
    """

    def __init__(self, weights: Path, threads: int = 1) -> None:
        self._network = _session(weights, threads)
        self._input = self._network.get_input_details()[0]["index"]
        places = {tensor["name"]: tensor["index"] for tensor in self._network.get_tensor_details()}
        self._features, self._logits = places[FEATURES_TENSOR], places[LOGITS_TENSOR]

    def __call__(self, patches: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Patches (B, PATCH_SAMPLES) in [-1, 1] -> features (B, FEATURES), at least 0, and logits (B, WORDS)."""
        features, logits = np.empty((len(patches), FEATURES), np.float32), np.empty((len(patches), WORDS), np.float32)
        for row, patch in enumerate(patches.astype(np.float32)):
            self._network.set_tensor(self._input, patch[None])
            self._network.invoke()
            features[row] = self._network.get_tensor(self._features)[0]
            logits[row] = self._network.get_tensor(self._logits)[0]
        return features, logits


def _session(weights: Path, threads: int) -> Any:
    """Return a ready interpreter; raise TrainingError unless its tensors have YAMNet's names and shapes."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise TrainingError(
            "expected ai-edge-litert for a second teacher, found it not installed",
            hint="pip install 'music-engine[teachers]'",
        ) from error
    try:
        with warnings.catch_warnings():  # about the memory of inner tensors: 10 MB
            warnings.simplefilter("ignore")
            network = Interpreter(str(weights), experimental_preserve_all_tensors=True, num_threads=threads)
        network.allocate_tensors()
    except (OSError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise TrainingError(f"expected YAMNet as .tflite in {weights}, cannot read it: {reason}") from error
    shapes = {tensor["name"]: list(tensor["shape"]) for tensor in network.get_tensor_details()}
    inputs = [(list(tensor["shape"]), tensor["dtype"]) for tensor in network.get_input_details()]
    found = {name: shapes.get(name) for name in EXPECTED}
    if inputs != [([1, PATCH_SAMPLES], np.float32)] or found != EXPECTED:
        raise TrainingError(
            f"expected YAMNet for one patch of {PATCH_SAMPLES} samples in {weights}, found another network",
            hint="name the .tflite of the published classification model",
        )
    return network
