"""Time and peak memory of encoding and of evaluating large databases, each in a process of its own.

    python scripts/large_database.py
    python scripts/large_database.py --sizes 100000 1000000 --repeats 3

Encoding: 512 values a row, 1,000 anchors, 64 bits, from parts of 100,000 rows in .npz files that are read in blocks.
All parts are one file under several names, so that ten million rows need no 20 GB of disk and come from the page cache.
Evaluation: every metric of a cell, 1,000 queries, random codes of 64 bits, 10 classes; compilation is not counted. A
database given in blocks of 2^20 codes has the metrics of queries alone.
Memory is the peak resident set of the process (VmHWM), libraries included, and the memory of the compiled program
beside its arguments.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

VALUES, ANCHORS, BITS, CLASSES, QUERIES = 512, 1000, 64, 10, 1000
PART, BLOCK = 100_000, 1 << 20  # rows


def encode(size: int) -> dict[str, float]:
    """Encode `size` rows from files."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    from zsh_jax import RBF, HashFunction, Linear, Preprocessing
    from zsh_jax import encode as encode_rows
    from zsh_jax.export.encode_files import VALUES as HELD
    from zsh_jax.export.encode_files import encode_files

    rng = np.random.default_rng(0)
    model = HashFunction(
        Preprocessing(np.zeros(VALUES, np.float32), np.ones(VALUES, np.float32), None, None),
        RBF(rng.normal(size=(ANCHORS, VALUES)).astype(np.float32), np.float32(VALUES)),
        Linear(rng.normal(size=(ANCHORS + 1, BITS)).astype(np.float32)),
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        first = folder / "in" / "part-0.npz"
        np.savez(first, features=rng.normal(size=(min(PART, size), VALUES)).astype(np.float32))
        for number in range(1, size // PART):
            os.link(first, folder / "in" / f"part-{number}.npz")
        rows = min(size, HELD // VALUES)
        jax.block_until_ready(encode_rows(model, jnp.zeros((rows, VALUES), jnp.float32)))  # compiles
        start = clocks()
        made = encode_files(model, folder / "in", folder / "codes.npy")
        spent = since(start)
        assert made == (size, BITS // 8)
    return spent | {"peak": peak()}


def evaluate(size: int) -> dict[str, float]:
    """Every metric of one cell."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    from zsh_jax.sweep.chance import chance_levels
    from zsh_jax.sweep.evaluate import evaluate_cells
    from zsh_jax.sweep.roles import Roles

    codes, labels = database(size + QUERIES)
    everything = np.arange(size + QUERIES, dtype=np.int32)[None]
    roles = Roles(
        jnp.asarray(everything[:, size:]),
        jnp.asarray(everything[:, :size]),
        jnp.zeros((1, 0), jnp.int32),
        jnp.arange(CLASSES)[None] == 0,
        jax.random.key(0)[None],
    )
    labels = jnp.asarray(labels)
    chances = chance_levels(labels, roles, cutoffs=(100, 1000))
    arguments = (jnp.asarray(codes)[None, None], None, labels, roles, chances)
    compiled = evaluate_cells.lower(*arguments, bits=BITS, cutoffs=(100, 1000)).compile()
    start = clocks()
    scores = jax.block_until_ready(compiled(*arguments))
    spent = since(start)
    assert np.isfinite(scores["mean_average_precision"]).all()
    beside = compiled.memory_analysis().temp_size_in_bytes
    return spent | {"peak": peak(), "beside": beside}


def in_blocks(size: int) -> dict[str, float]:
    """The metrics of queries, with the database in blocks."""
    import jax
    import numpy as np

    from zsh_jax.core.metrics.in_blocks import evaluate_in_blocks
    from zsh_jax.progress_bar import counting

    codes, labels = database(QUERIES)
    blocks = [database(min(BLOCK, size - start), start) for start in range(0, min(2 * BLOCK, size), BLOCK)]

    def parts(advance):
        for start in range(0, size, BLOCK):
            block_codes, block_labels = blocks[(start // BLOCK) % len(blocks)]
            rows = min(BLOCK, size - start)
            yield block_codes[:rows], block_labels[:rows]
            advance(rows)

    last = size % BLOCK
    for rows in {min(BLOCK, size), last or min(BLOCK, size)}:  # compiles
        evaluate_in_blocks(codes, labels, [(blocks[0][0][:rows], blocks[0][1][:rows])], bits=BITS)
    start = clocks()
    with counting("evaluating", size, unit="codes") as advance:
        found = jax.block_until_ready(evaluate_in_blocks(codes, labels, parts(advance), bits=BITS))
    spent = since(start)
    assert np.isfinite(found.mean_average_precision).all()
    return spent | {"peak": peak()}


def nothing(size: int) -> dict[str, float]:
    """Libraries alone."""
    import jax

    import zsh_jax

    jax.block_until_ready(jax.numpy.zeros(1))
    assert zsh_jax.evaluate
    return {"seconds": 0.0, "cpu": 0.0, "peak": peak()}


def database(rows: int, seed: int = 0):
    """Random codes and labels."""
    import numpy as np

    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 256, (rows, BITS // 8), dtype=np.uint8)
    return codes, rng.integers(0, CLASSES, rows, dtype=np.int32)


def clocks() -> tuple[float, float]:
    """Wall-clock time and CPU time of the process."""
    return time.perf_counter(), time.process_time()


def since(start: tuple[float, float]) -> dict[str, float]:
    """Seconds since `clocks`."""
    return {key: now - then for key, now, then in zip(("seconds", "cpu"), clocks(), start, strict=True)}


def peak() -> int:
    """The largest resident set of this process so far, in bytes."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return 1024 * int(line.split()[1])


WORK = {"nothing": nothing, "encode": encode, "evaluate": evaluate, "in_blocks": in_blocks}


def measured(work: str, size: int, repeats: int) -> dict[str, float]:
    """The fastest of several processes."""
    command = [sys.executable, __file__, "--one", work, "--sizes", str(size)]
    ended = [
        json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
        for _ in range(repeats)
    ]
    return min(ended, key=lambda one: one["seconds"])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--work", nargs="+", choices=WORK, default=list(WORK))
    parser.add_argument("--one", choices=WORK, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(WORK[args.one](args.sizes[0])))
        return
    print("| work | codes | seconds | CPU seconds | peak memory | of the program |")
    print("|---|---|---|---|---|---|")
    for work in args.work:
        for size in args.sizes[: 1 if work == "nothing" else None]:
            found = measured(work, size, args.repeats)
            beside = f"{found['beside'] / 2**20:,.0f} MiB" if "beside" in found else ""
            times = (f"{found[key]:.1f}" for key in ("seconds", "cpu"))
            row = (work, f"{size:,}", *times, f"{found['peak'] / 2**20:,.0f} MiB", beside)
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
