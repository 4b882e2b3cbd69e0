"""Encode feature files with a saved hash function: `zsh-jax encode MODEL FEATURES OUT.npy`."""

import argparse
from collections.abc import Sequence

from zsh_jax.command_line import read_arguments
from zsh_jax.exits import end_as_status
from zsh_jax.takes import path, text

KEPT = "nothing has been written"


def main(arguments: Sequence[str]) -> int:
    """Run the command on arguments without the program's name.

    Returns:
        Exit status: 0; 1 if the disk failed, 2 for bad input, 130 after Ctrl-C, 143 after SIGTERM.
    """
    return end_as_status("zsh-jax encode", lambda: _encode(arguments), kept=KEPT)


def _encode(arguments: Sequence[str]) -> int:
    takes = dict.fromkeys(("model", "features", "out"), path()) | {"array": text(200)}
    options = read_arguments(_parser(), arguments, takes)
    from zsh_jax.core.hashing import code_length
    from zsh_jax.export.encode_files import encode_files
    from zsh_jax.model_file import load

    model = load(options.model)
    number, _ = encode_files(model, options.features, options.out, array=options.array)
    print(f"{options.out}: {number:,} codes of {code_length(model)} bits", flush=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="zsh-jax encode",
        description="Encode features with a saved hash function, in blocks: files may be larger than memory.",
    )
    parser.add_argument("model", help="models/CELL_ID.safetensors of a sweep, or a file of zsh_jax.save")
    parser.add_argument(
        "features",
        help="file (.npy, .npz, .parquet, .mat), folder of parts, or pattern in quotes ('part-*.npz')",
    )
    parser.add_argument("out", help="new .npy file of packed codes, (n, bytes) uint8")
    parser.add_argument("--array", help="name of the array or column of features (default: a usual name)")
    return parser
