"""One cell from raw features to its metrics, in a process of its own: `python -m benchmarks.stages SIZES`.

It prints, as JSON, the time of the first and of the second call of each stage, and the peak memory of the process.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks import package, synthetic
from benchmarks.launches import peak_mib
from benchmarks.sizes import FULL, SMALL, Sizes

DEVICE_PEAK = "peak_bytes_in_use"  # as JAX names it; not reported by the CPU


def main(sizes: Sizes) -> dict[str, Any]:
    """Run each stage twice.

    Args:
        sizes: of the data.

    Returns:
        Seconds of the first and the second call of each stage, and MiB.
    """
    key = jax.random.key(0)
    data = synthetic.training(sizes)
    bits = sizes.bits
    x = jnp.asarray(synthetic.samples(sizes))
    functions = [one for one in package.hash_functions(data, sizes, key) if package.bits_of(one) == bits]
    prepared = package.prepared(data, sizes, key).data
    alphas = jnp.full(1, 1e-5)
    codes = synthetic.retrieval(sizes, bits)
    evaluation = package.evaluation(codes, bits)
    jax.clear_caches()
    calls: dict[str, Callable[[], Any]] = {
        "prepare": lambda: package.prepared(data, sizes, key),
        "train": lambda: package.fit_cells(prepared, key[None], alphas, bits=bits, passes=sizes.passes),
        "encode": lambda: package.encode_all(functions, x),
        "evaluate": evaluation,
    }
    seconds = {name: [_seconds(call), _seconds(call)] for name, call in calls.items()}
    device = jax.devices()[0].memory_stats() or {}
    return {
        "seconds": seconds,
        "peak_mib": peak_mib("self"),
        "device_peak_mib": device.get(DEVICE_PEAK, 0) / 2**20,
    }


def _seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    jax.block_until_ready(call())
    return time.perf_counter() - start


if __name__ == "__main__":
    print(json.dumps(main({"full": FULL, "small": SMALL}[sys.argv[1]])))
