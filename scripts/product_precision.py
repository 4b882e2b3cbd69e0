"""Measure which products of a fit bear TF32 or bfloat16: the share of equal bits, and the change of mAP.

    python scripts/product_precision.py --unseen cat horse -- --config experiments/sweep_bits.py:cifar10 ...

Accelerators round the factors of a product to 10 bits (TF32) or 7 bits (bfloat16) and add in float32. The script does
the same on any device: it evaluates the programs of `zsh_jax.fit` and `zsh_jax.encode` equation by equation, and rounds
the factors of the products of one stage.
"""

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np
from jax import lax
from jax.extend import core

import zsh_jax as zsh
from zsh_jax.commands.configuration import read_config
from zsh_jax.sweep.layout import lay_out
from zsh_jax.sweep.splits import split_of, vectors_of

MANTISSA = {"TF32": 10, "bfloat16": 7}
Path = tuple[str, ...]
Chosen = Callable[[Path], bool]
STAGES: dict[str, Chosen] = {
    "graph": lambda path: "knn_graph" in path,
    "RBF features": lambda path: "rbf_features" in path,
    "Phi'Phi, Phi'L Phi": lambda path: "make_problem" in path,
    "projection": lambda path: path[-1] in ("while", "custom_vmap_call") and "codes_step" not in path,
    "rotation": lambda path: "rotation_step" in path,
    "regression": lambda path: "regression_step" in path,
    "codes": lambda path: "codes_step" in path,
    "encoding": lambda path: path[-2:] == ("encode", "scan"),
    "all": lambda path: True,
}


def main() -> None:
    """Print a table: a row for each stage and precision, means over the sets of unseen classes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--unseen", nargs="+", required=True)
    parser.add_argument("--bits", type=int, default=64)
    parser.add_argument("arguments", nargs="+", help="of launch.py, after --")
    options = parser.parse_args()
    config = read_config(["launch.py", *options.arguments])
    with config.unlocked():
        sweep = config.sweep
        sweep.unseen, sweep.bits, sweep.seed = tuple(options.unseen), (options.bits,), (0,)
    plan, inputs = lay_out(config)
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for split in (split for group in plan.groups for split in group.splits):
        indices, vectors = split_of(inputs, split), vectors_of(inputs, split)
        data = inputs.features, vectors, inputs.dataset.labels, indices
        size = {"bits": options.bits, "anchors": split.anchors}
        exact, reference = _codes(data, size, lambda path: False, 23)
        for (stage, chosen), (name, mantissa) in [(s, m) for s in STAGES.items() for m in MANTISSA.items()]:
            codes, average = _codes(data, size, chosen, mantissa)
            equal = 1 - np.unpackbits(codes ^ exact).mean()
            found.setdefault((stage, name), []).append((equal, average - reference))
            print(f"{split.unseen}: {stage}, {name}: {equal:.3%} {average - reference:+.4f}", flush=True)
    print("| stage | precision | equal bits | mAP |\n|---|---|---|---|")
    for (stage, name), rows in found.items():
        equal, change = np.mean(rows, axis=0)
        worst = max((change for _, change in rows), key=abs)
        print(f"| {stage} | {name} | {equal:.3%} | {change:+.4f}, at most {worst:+.4f} |")


def _codes(data: Any, size: dict[str, int], chosen: Chosen, mantissa: int) -> tuple[Any, float]:
    """Codes of all samples, and their mAP."""
    features, vectors, labels, indices = data
    train = indices.training

    def fit(x: Any) -> Any:
        return zsh.fit(jax.random.key(0), x, vectors, labels[train], **size)

    model = rounded(fit, chosen, mantissa)(features[train])
    codes = rounded(zsh.encode, chosen, mantissa)(model, features)
    q, d = indices.queries, indices.database
    metrics = zsh.evaluate(codes[q], labels[q], codes[d], labels[d], bits=size["bits"])
    return np.asarray(codes), float(metrics.mean_average_precision)


def rounded(function: Callable[..., Any], chosen: Chosen, mantissa: int) -> Callable[..., Any]:
    """The function with the factors of some products rounded.

    Args:
        function: of arrays.
        chosen: given the names of the jitted functions and loops around a product, whether to round.
        mantissa: bits to keep.

    Returns:
        A function of the same arguments.
    """

    def call(*args: Any) -> Any:
        flat, structure = jax.tree.flatten(args)
        made, shapes = jax.make_jaxpr(
            lambda *leaves: function(*structure.unflatten(leaves)), return_shape=True
        )(*flat)
        run = jax.jit(partial(_evaluate, made, (), chosen, mantissa))
        return jax.tree.unflatten(jax.tree.structure(shapes), run(*flat))

    return call


def _evaluate(closed: Any, path: Path, chosen: Chosen, mantissa: int, *args: Any) -> list[Any]:
    values: dict[Any, Any] = dict(zip(closed.jaxpr.constvars, closed.consts, strict=True))
    values.update(zip(closed.jaxpr.invars, args, strict=True))

    def read(variable: Any) -> Any:
        return variable.val if isinstance(variable, core.Literal) else values[variable]

    for equation in closed.jaxpr.eqns:
        inputs = [read(variable) for variable in equation.invars]
        outputs = _equation(equation, inputs, path, chosen, mantissa)
        values.update(zip(equation.outvars, outputs, strict=True))
    return [read(variable) for variable in closed.jaxpr.outvars]


def _equation(equation: Any, inputs: list[Any], path: Path, chosen: Chosen, mantissa: int) -> Sequence[Any]:
    primitive, params = equation.primitive, dict(equation.params)
    if primitive.name == "dot_general" and chosen(path or ("",)):
        inputs = [lax.reduce_precision(one, 8, mantissa) for one in inputs]
    inner = (*path, params.get("name") or primitive.name)
    for name in ("jaxpr", "call"):  # of functions that can be read as a part of this one
        if primitive.name in ("jit", "pjit", "custom_vmap_call", "closed_call") and name in params:
            return _evaluate(params[name], inner, chosen, mantissa, *inputs)

    def changed(value: Any) -> Any:
        if isinstance(value, core.ClosedJaxpr):
            run = partial(_evaluate, value, inner, chosen, mantissa)
            return jax.make_jaxpr(run)(*value.in_avals)
        return tuple(map(changed, value)) if type(value) is tuple else value

    params = {name: changed(value) for name, value in params.items()}
    outputs = primitive.bind(*inputs, **params)
    return outputs if primitive.multiple_results else [outputs]


if __name__ == "__main__":
    main()
