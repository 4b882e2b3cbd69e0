"""Write a hash function as an ONNX graph, from raw features to codes.

To export another feature map or head, add a row to `MAPS` or `HEADS`.
"""

from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Shaped

from zsh_jax.core.feature_maps import RBF, FeaturesAndRBF, Identity
from zsh_jax.core.hashing import HashFunction, code_length, project
from zsh_jax.core.heads import MLP, ClassCodes, Joint, Linear
from zsh_jax.core.preprocessing import Preprocessing
from zsh_jax.errors import InputError
from zsh_jax.export.checks import check_installed
from zsh_jax.export.new_file import check_new_file, write_new_file
from zsh_jax.version import package_version

OPSET, IR_VERSION = 17, 8  # of ONNX 1.12: older programs read it, newer ones too
LARGEST = 2**31 - 2**20  # bytes of arrays: a file of protobuf holds 2 GiB
ROWS = {"axes": [1], "keepdims": 1}  # reductions over the values of a row


class Graph(NamedTuple):
    """A graph that is being built.

    Attributes:
        nodes: in an order in which they can run.
        arrays: constants by name.
        dtype: of all real values.
    """

    nodes: list[Any]
    arrays: dict[str, Shaped[np.ndarray, "..."]]
    dtype: np.dtype

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add an operator; returns the name of its result."""
        from onnx import helper

        result = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [result], result, **attributes))
        return result

    def array(self, name: str, values: Any, dtype: Any = None) -> str:
        """Add a constant, of the type of the graph unless another is given; returns its name."""
        self.arrays[name] = np.asarray(values, dtype or self.dtype)
        return name


def onnx_model(hash_function: HashFunction, *, packed: bool = True) -> Any:
    """The ONNX model of a hash function: preprocessing, feature map, head, sign and packing.

    Its input `features`, (n, d), is of the type of the hash function; n is free. Its output is `codes`. A projection of
    exactly zero gives bit 0, as in `encode`. Another program may add the terms of a sum in another order than JAX, so
    that a projection within rounding of zero may get the other sign. The head for class vectors is left out.

    Args:
        hash_function: of any method with codes.
        packed: whether codes are bytes, (n, ceil(l / 8)), in the format of `pack_codes`; if not, they are zeros and
            ones, (n, l). Both are uint8.

    Returns:
        An `onnx.ModelProto` of opset 17 and IR version 8, checked by ONNX.

    Raises:
        InputError: ONNX is not installed; the hash function is an unhashed bound, has a part of an unknown kind or
            arrays for several cells; or it is larger than 2 GiB.
    """
    _check(hash_function)
    check_installed("onnx", "onnx")
    from onnx import TensorProto, checker, helper, numpy_helper

    bits = code_length(hash_function)
    preprocessing, feature_map, head, _ = hash_function
    dtype = np.dtype(preprocessing.mean.dtype)
    graph = Graph([], {}, dtype)
    z = _preprocessed(graph, preprocessing, "features")
    projected = HEADS[type(head)](graph, head, MAPS[type(feature_map)](graph, feature_map, z))
    positive = graph.node("Greater", projected, graph.array("zero", 0))
    if packed:
        weights = np.zeros((bits, -(-bits // 8)))
        weights[np.arange(bits), np.arange(bits) // 8] = 128 >> np.arange(bits) % 8
        zeros_and_ones = graph.node("Cast", positive, to=TensorProto.FLOAT)
        positive = graph.node("MatMul", zeros_and_ones, graph.array("packing", weights, np.float32))
    graph.nodes.append(helper.make_node("Cast", [positive], ["codes"], "codes", to=TensorProto.UINT8))

    real = helper.np_dtype_to_tensor_dtype(dtype)
    columns = -(-bits // 8) if packed else bits
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "hash_function",
            [helper.make_tensor_value_info("features", real, ["n", len(preprocessing.mean)])],
            [helper.make_tensor_value_info("codes", TensorProto.UINT8, ["n", columns])],
            [numpy_helper.from_array(values, name) for name, values in graph.arrays.items()],
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="zsh_jax",
        producer_version=package_version(),
    )
    helper.set_model_props(model, {"bits": str(bits), "packed": str(packed).lower()})
    checker.check_model(model, full_check=True)
    return model


def save_onnx(path: str | Path, hash_function: HashFunction, *, packed: bool = True) -> None:
    """Write a hash function as an ONNX file; see `onnx_model`.

    Args:
        path: new `.onnx` file.
        hash_function: of any method with codes.
        packed: as for `onnx_model`.

    Raises:
        InputError: as for `onnx_model`; or the file exists or cannot be written.
        OSError: if the disk is full or gone; no file is left.
    """
    path = check_new_file(path, ".onnx")
    write_new_file(path, onnx_model(hash_function, packed=packed).SerializeToString())


def _check(hash_function: HashFunction) -> None:
    if code_length(hash_function) == 0:
        raise InputError(
            "a bound compares real-valued vectors and has no codes; fix: use a hash function of a method with codes"
        )
    preprocessing, feature_map, head, _ = hash_function
    for part, known in ((preprocessing, (Preprocessing,)), (feature_map, MAPS), (head, HEADS)):
        if type(part) not in known:
            raise InputError(
                f"ONNX: unknown part {type(part).__name__} of a hash function; fix: add it to "
                "zsh_jax/export/onnx_graph.py"
            )
    one = np.zeros((1, np.shape(preprocessing.mean)[-1]), preprocessing.mean.dtype)
    try:
        shape = jax.eval_shape(project, hash_function, one).shape
    except (TypeError, ValueError):
        shape = ()
    if shape != (1, code_length(hash_function)):
        raise InputError(
            "ONNX: arrays of the hash function do not fit; fix: export one hash function at a time"
        )
    size = sum(leaf.nbytes for leaf in jax.tree.leaves((preprocessing, feature_map, head)))
    if size > LARGEST:
        raise InputError(
            f"ONNX: {size / 2**30:.1f} GiB of arrays, but a file holds 2; fix: use fewer anchors"
        )


def _preprocessed(graph: Graph, preprocessing: Preprocessing, x: str) -> str:
    mean, scale, basis, unit = preprocessing
    z = graph.node("Sub", x, graph.array("preprocessing.mean", mean))
    z = graph.node("Div", z, graph.array("preprocessing.scale", scale))
    if basis is not None:
        z = graph.node("MatMul", z, graph.array("preprocessing.basis", basis))
    if unit is None or not bool(unit):
        return z
    # As in apply_preprocessing: scaled by the largest value first, and a zero row stays zero.
    shrunk = _divided(graph, z, graph.node("ReduceMax", graph.node("Abs", z), **ROWS))
    return _divided(graph, shrunk, graph.node("Sqrt", graph.node("ReduceSumSquare", shrunk, **ROWS)))


def _divided(graph: Graph, rows: str, sizes: str) -> str:
    """Rows divided by sizes that are not negative; by 1 where a size is zero."""
    positive = graph.node("Greater", sizes, graph.array("zero", 0))
    return graph.node("Div", rows, graph.node("Where", positive, sizes, graph.array("one", 1)))


def _rbf(graph: Graph, rbf: RBF | FeaturesAndRBF, z: str) -> str:
    anchors = np.asarray(rbf.anchors, graph.dtype)
    lengths = np.sum(anchors.astype(np.float64) ** 2, axis=1)
    squares = graph.node("ReduceSumSquare", z, **ROWS)
    squares = graph.node("Add", squares, graph.array("feature_map.squared_anchors", lengths))
    products = graph.node("MatMul", z, graph.array("feature_map.doubled_anchors", 2 * anchors.T))
    squared = graph.node("Relu", graph.node("Sub", squares, products))
    width = graph.array("feature_map.width", -2 * np.asarray(rbf.bandwidth, graph.dtype))
    bumps = graph.node("Exp", graph.node("Div", squared, width))
    constant_column = graph.array(
        "constant_column", [0, 0, 0, 1], np.int64
    )  # padding before and after each axis
    return graph.node("Pad", bumps, constant_column, graph.array("one", 1))


def _features_and_rbf(graph: Graph, both: FeaturesAndRBF, z: str) -> str:
    return graph.node("Concat", z, _rbf(graph, both, z), axis=1)


def _linear(graph: Graph, head: Linear | MLP | ClassCodes, features: str) -> str:
    projected = graph.node("MatMul", features, graph.array("head.projection", head.projection))
    if head.offset is None:
        return projected
    return graph.node("Add", projected, graph.array("head.offset", head.offset))


def _mlp(graph: Graph, head: MLP, features: str) -> str:
    units = graph.node("MatMul", features, graph.array("head.hidden", head.hidden))
    units = graph.node("Add", units, graph.array("head.hidden_offset", head.hidden_offset))
    return _linear(graph, head, graph.node("Relu", units))


def _class_codes(graph: Graph, head: ClassCodes, features: str) -> str:
    best = graph.node("ArgMax", _linear(graph, head, features), axis=1, keepdims=0)  # the first of equal ones
    return graph.node("Gather", graph.array("head.codes", head.codes), best, axis=0)


def _joint(graph: Graph, head: Joint, features: str) -> str:
    p = head.whitening.shape[0]
    axis = graph.array("axis", [1], np.int64)
    edges = [graph.array(f"edge_{edge}", [edge], np.int64) for edge in (0, p, p + head.semantic.shape[0])]
    x, phi = (graph.node("Slice", features, *ends, axis) for ends in pairwise(edges))
    whitened = graph.node("MatMul", x, graph.array("head.whitening", head.whitening))
    appearance = graph.node("Sub", whitened, graph.array("head.centre", head.centre))
    semantic = graph.node("MatMul", phi, graph.array("head.semantic", head.semantic))
    both = graph.node("Concat", _unit_rows(graph, semantic), _unit_rows(graph, appearance), axis=1)
    projected = graph.node("MatMul", both, graph.array("head.frame", head.frame))
    return graph.node("Sub", projected, graph.array("head.offset", head.offset))


def _unit_rows(graph: Graph, rows: str) -> str:
    length = graph.node("Sqrt", graph.node("ReduceSumSquare", rows, **ROWS))
    tiny = graph.array("tiny", np.finfo(graph.dtype).tiny)
    return graph.node("Div", rows, graph.node("Max", length, tiny))


MAPS: Mapping[type, Callable[[Graph, Any, str], str]] = {
    Identity: lambda graph, _, z: z,
    RBF: _rbf,
    FeaturesAndRBF: _features_and_rbf,
}
HEADS: Mapping[type, Callable[[Graph, Any, str], str]] = {
    Linear: _linear,
    MLP: _mlp,
    ClassCodes: _class_codes,
    Joint: _joint,
}
