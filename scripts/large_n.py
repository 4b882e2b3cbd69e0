"""Time and memory of training in blocks of samples, against the number of samples.

    python scripts/large_n.py FOLDER [--samples 10000 100000 1000000] [--features 512] [--bits 64] [--anchors 1000]

Features of 100 classes are drawn and written to FOLDER, once, as a `.npy` file that is then memory-mapped. Each number
of samples is trained on in a process of its own, whose peak memory is read from the system. `--in-memory` trains the
same samples at once instead, for comparison.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

CLASSES, SEMANTICS, ROWS = 100, 300, 10_000


def main() -> None:
    """Run one process for each number of samples and print the table."""
    given = _arguments().parse_args()
    path = given.folder / f"features-{max(given.samples)}x{given.features}.npy"
    if given.one is not None:
        print(json.dumps(measure(path, given)))
        return
    given.folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        write_features(path, max(given.samples), given.features)
    head = (
        "samples",
        "prepare s",
        "passes",
        "s a pass",
        "total s",
        "CPU s",
        "peak GiB",
        "of it features GiB",
        "J",
    )
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}", flush=True)
    for samples in given.samples:
        command = [sys.executable, __file__, *sys.argv[1:], "--one", str(samples)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
        seconds = [f"{found[name]:.1f}" for name in ("prepare", "pass", "total", "cpu")]
        gib = [f"{found[name]:.2f}" for name in ("peak", "mapped")]
        row = (
            f"{samples:,}",
            seconds[0],
            str(found["passes"]),
            *seconds[1:],
            *gib,
            f"{found['objective']:.6g}",
        )
        print(f"| {' | '.join(row)} |", flush=True)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--samples", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--features", type=int, default=512)
    parser.add_argument("--bits", type=int, default=64)
    parser.add_argument("--anchors", type=int, default=1000)
    parser.add_argument("--block", type=int, default=2048)
    parser.add_argument("--in-memory", action="store_true")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    return parser


def classes_of(samples: int) -> np.ndarray:
    """The class of each sample."""
    return np.random.default_rng(1).integers(0, CLASSES, samples).astype(np.int32)


def write_features(path: Path, samples: int, features: int) -> None:
    """Draw features around a centre of each class, in blocks, into a file."""
    rng = np.random.default_rng(0)
    centres, labels = rng.normal(size=(CLASSES, features)).astype(np.float32), classes_of(samples)
    beside = path.with_suffix(".part")
    out = np.lib.format.open_memmap(beside, "w+", np.float32, (samples, features))
    for start in range(0, samples, ROWS):
        of = labels[start : start + ROWS]
        out[start : start + ROWS] = centres[of] + 1.5 * rng.standard_normal((len(of), features), np.float32)
    out.flush()
    beside.replace(path)


def measure(path: Path, given: argparse.Namespace) -> dict[str, float]:
    """Train once."""
    import jax

    from zsh_jax.training.fit import fit_with_trace
    from zsh_jax.training.fit_in_blocks import Telling, fit_in_blocks

    features = np.load(path, mmap_mode="r")[: given.one]
    vectors = np.random.default_rng(2).normal(size=(CLASSES, SEMANTICS)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    labels = classes_of(max(given.samples))[: given.one]
    settings = {"bits": given.bits, "anchors": given.anchors, "graph": "anchors"}
    start, passes, prepared = time.perf_counter(), [], [0.0]

    def told_prepared(seconds: float) -> None:
        prepared.append(seconds)

    def told_pass(seconds: float) -> None:
        passes.append(seconds)
        print(f"pass {len(passes)}: {seconds:.1f} s", file=sys.stderr, flush=True)

    arguments = (jax.random.key(0), features, vectors, labels)
    if given.in_memory:
        _, trace = fit_with_trace(*arguments, **settings)
    else:
        telling = Telling(told_prepared, told_pass)
        _, trace = fit_in_blocks(*arguments, **settings, block=given.block, telling=telling)
    objective = float(trace.objective)
    total = time.perf_counter() - start
    return {
        "prepare": prepared[-1],
        "passes": len(passes) or int(trace.iterations),
        "pass": float(np.median(passes)) if passes else float("nan"),
        "total": total,
        "cpu": time.process_time(),
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "mapped": features.nbytes / 2**30,
        "objective": objective,
    }


if __name__ == "__main__":
    main()
