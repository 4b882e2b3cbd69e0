"""Time one fit of each method on the same samples.

    python scripts/method_times.py FEATURES.npz

FEATURES.npz holds `features` (n, d) and `label` (n,). A row has the CPU time of the process, in seconds and relative to
ZSH: on a busy machine it says more than the time that passes. Methods take turns; compilation is not counted.
"""

import argparse
import resource
import statistics
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from zsh_jax import METHODS
from zsh_jax.methods.protocol import Reads, TrainingData
from zsh_jax.training.prepare import Preparation, Taught, prepare
from zsh_jax.training.streams import streams


def training_data(path: str, *, samples: int, anchors: int) -> TrainingData:
    """Samples of all classes but the last, with random class vectors."""
    with np.load(path) as file:
        features, labels = file["features"], file["label"]
    classes, rng = int(labels.max()) + 1, np.random.default_rng(0)
    chosen = rng.choice(np.flatnonzero(labels != classes - 1), samples, replace=False)
    vectors = rng.normal(size=(classes, 300))
    vectors = jnp.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), jnp.float32)
    own = jnp.asarray(labels[chosen], jnp.int32)
    make = jax.jit(partial(prepare, how=Preparation(anchors=anchors), reads=frozenset(Reads)))
    x = jnp.asarray(features[chosen], jnp.float32)
    return make(x, Taught(own, vectors[own], vectors), streams(jax.random.key(0)), 1.0).data


def cpu_seconds(name: str, data: TrainingData, *, bits: int, seed: int) -> float:
    """CPU time of one fit."""
    method = METHODS[name]
    before = resource.getrusage(resource.RUSAGE_SELF)
    fitted = method.fit(jax.random.key(seed), data, method.weights(), method.options(), bits=bits)
    jax.block_until_ready(fitted)
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("features")
    for name, default in (("samples", 10_000), ("anchors", 1000), ("bits", 64), ("repeats", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument(
        "--methods", nargs="+", default=[], metavar="NAME", help="to time, besides zsh; all by default"
    )
    args = parser.parse_args()
    data = training_data(args.features, samples=args.samples, anchors=args.anchors)
    chosen = {"zsh", *(args.methods or METHODS)}
    names = [name for name, method in METHODS.items() if method.has_codes and name in chosen]
    times: dict[str, list[float]] = {name: [] for name in names}
    for repeat in range(args.repeats + 1):
        for name in names:
            times[name].append(cpu_seconds(name, data, bits=args.bits, seed=repeat))
    medians = {name: statistics.median(each[1:]) for name, each in times.items()}  # the first compiles
    for name in names:
        print(f"| {name} | {medians[name]:.2f} | {medians[name] / medians['zsh']:.1f} |", flush=True)


if __name__ == "__main__":
    main()
