"""A network of YAMNet's inputs and outputs, made on the spot: it says of a patch the size of its first samples."""

from pathlib import Path

import numpy as np
import pytest

from engine.models.yamnet import FEATURES, FEATURES_TENSOR, LOGITS_TENSOR, PATCH_SAMPLES, WORDS

FLOAT32, INT32 = 0, 2  # of TensorFlow Lite's TensorType
SLICE, ABS, FULLY_CONNECTED = 65, 101, 9  # of its BuiltinOperator


def kernel() -> np.ndarray:
    """What makes logits of features, (WORDS, FEATURES)."""
    return np.random.default_rng(0).standard_normal((WORDS, FEATURES)).astype(np.float32)


def write_network(path: Path, features_name: str = FEATURES_TENSOR) -> Path:
    """Features are the absolute values of a patch's first samples; logits are the kernel's products with them."""
    flatbuffers = pytest.importorskip("flatbuffers", reason="ai-edge-litert is not installed")
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated", reason="ai-edge-litert is not installed")
    model = schema.ModelT()
    model.version, model.buffers = 3, [schema.BufferT()]
    graph = schema.SubGraphT()

    def tensor(name: str, shape: tuple[int, ...], kind: int = FLOAT32, data: np.ndarray | None = None) -> int:
        made = schema.TensorT()
        made.name, made.shape, made.type = name.encode(), np.array(shape, np.int32), kind
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(data.tobytes(), np.uint8)
            model.buffers.append(buffer)
            made.buffer = len(model.buffers) - 1
        graph.tensors.append(made)
        return len(graph.tensors) - 1

    graph.tensors, graph.operators, model.operatorCodes = [], [], []
    patch = tensor("input", (1, PATCH_SAMPLES))
    begin = tensor("begin", (2,), INT32, np.zeros(2, np.int32))
    size = tensor("size", (2,), INT32, np.array([1, FEATURES], np.int32))
    first = tensor("first", (1, FEATURES))
    features = tensor(features_name, (1, FEATURES))
    weights = tensor("weights", (WORDS, FEATURES), FLOAT32, kernel())
    logits = tensor(LOGITS_TENSOR, (1, WORDS))
    steps = [(SLICE, [patch, begin, size], first), (ABS, [first], features)]
    steps.append((FULLY_CONNECTED, [features, weights, -1], logits))
    for code, inputs, output in steps:
        known, operator = schema.OperatorCodeT(), schema.OperatorT()
        known.builtinCode = known.deprecatedBuiltinCode = code
        known.version = 1
        model.operatorCodes.append(known)
        operator.opcodeIndex = len(model.operatorCodes) - 1
        operator.inputs, operator.outputs = np.array(inputs, np.int32), np.array([output], np.int32)
        if code == FULLY_CONNECTED:
            operator.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
            operator.builtinOptions = schema.FullyConnectedOptionsT()
        graph.operators.append(operator)
    graph.inputs, graph.outputs = np.array([patch], np.int32), np.array([logits], np.int32)
    model.subgraphs = [graph]
    builder = flatbuffers.Builder(4 * WORDS * FEATURES + 10_000)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path
