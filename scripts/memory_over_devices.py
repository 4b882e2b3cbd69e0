"""Print the memory of one cell's programs on each device, with its samples over 1, 2, 4 and 8 devices.

    python scripts/memory_over_devices.py                  # the sizes of the CIFAR-10 protocol; runs nothing
    python scripts/memory_over_devices.py --method joint --devices 1 4 --json

Programs are compiled for virtual devices of the CPU. Beside arguments, results and work space, the largest array is
counted that a program gathers on every device.
"""

import argparse
import json
import os
import re
from math import prod
from typing import Any

LARGEST = 8  # devices


def main() -> None:
    """Compile the programs, and print a table or JSON."""
    given = _arguments()
    os.environ["JAX_PLATFORMS"] = "cpu"
    flag = f"--xla_force_host_platform_device_count={LARGEST}"
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flag}".strip()
    found = {devices: _compiled(given, devices) for devices in given.devices}
    if given.json:
        print(json.dumps(found))
        return
    for devices, one in found.items():
        parts = [f"{name} {program['bytes'] / 2**20:.1f}" for name, program in one["programs"].items()]
        both = f"batch {one['batch'] / 2**20:.1f}, by formula {one['formula'] / 2**20:.1f}"
        print(f"{devices} devices, MiB on each: {', '.join(parts)}; {both}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    sizes = {"samples": 60_000, "features": 1024, "training": 10_000, "anchors": 1000, "bits": 64}
    for name, size in (sizes | {"queries": 1000, "neighbours": 10}).items():
        parser.add_argument(f"--{name}", type=int, default=size)
    parser.add_argument("--method", default="zsh")
    parser.add_argument("--devices", type=int, nargs="+", default=[1, 2, 4, LARGEST])
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _compiled(given: argparse.Namespace, devices: int) -> dict[str, Any]:
    """Bytes of each program, of the batch, and of the batch by formula."""
    import numpy as np

    from zsh_jax.data.dataset import Dataset
    from zsh_jax.data.semantics import one_hot
    from zsh_jax.inputs.load import Inputs, Semantics
    from zsh_jax.methods.table import METHODS
    from zsh_jax.sweep.compiled import Compiled
    from zsh_jax.sweep.config import defaults
    from zsh_jax.sweep.engine import footprint
    from zsh_jax.sweep.grid import groups
    from zsh_jax.sweep.memory import sizes_of
    from zsh_jax.sweep.mesh import sweep_mesh
    from zsh_jax.sweep.plan import batch_bytes, make_plan

    class Kept(Compiled):
        """Keeps what each program takes, by its name."""

        def _compiled(self, function: Any, *args: Any, **how: Any) -> Any:
            program = super()._compiled(function, *args, **how)
            programs[function.__name__] = _read(program.call)
            return program

    programs: dict[str, dict[str, int]] = {}
    labels = (np.arange(given.samples) % 10).astype(np.int32)
    ids = np.array([f"{i:08d}" for i in range(given.samples)])
    names = tuple(f"c{i}" for i in range(10))
    dataset = Dataset("sized", ids, np.full(given.samples, "train"), labels, names)
    described = np.zeros((given.samples, given.features), np.float32)
    inputs = Inputs(dataset, "none", described, {"one-hot": Semantics("one-hot", one_hot(10))})
    axes = defaults().sweep.to_dict() | {
        "method": (given.method,),
        "unseen": ("c0",),
        "semantics": ("one-hot",),
        "seed": (0,),
        "training_samples": (given.training,),
        "anchors": (given.anchors,),
        "queries": (given.queries,),
        "neighbours": (given.neighbours,),
        "bits": (given.bits if METHODS[given.method].has_codes else 0,),
    }
    sizes = sizes_of(inputs, devices)
    (batch,) = make_plan(groups(axes), sizes, memory_gib=1e3).batches
    whole = footprint(batch, inputs, Kept(sweep_mesh(1, devices)), cutoffs=(100, 1000))
    return {"programs": programs, "batch": whole, "formula": batch_bytes(sizes["one-hot"], batch)}


def _read(program: Any) -> dict[str, int]:
    read = program.memory_analysis()
    made = re.findall(r"= (.*) all-gather(?:-start)?\(", program.as_text())
    shapes = [shape for one in made for shape in re.findall(r"\[([\d,]*)\]", one)]
    sizes = [prod(int(length) for length in shape.split(",") if length) for shape in shapes]
    held = read.argument_size_in_bytes + read.output_size_in_bytes + read.temp_size_in_bytes
    return {"bytes": held, "gathered": max(sizes, default=0)}


if __name__ == "__main__":
    main()
