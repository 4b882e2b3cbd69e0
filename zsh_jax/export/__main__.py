"""Export an index: `python -m zsh_jax.export MODEL.safetensors --features FILE --out DIR [--index hnsw]`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from zsh_jax.command_line import read_arguments
from zsh_jax.errors import InputError
from zsh_jax.exits import end_as_status
from zsh_jax.interrupts import leave
from zsh_jax.takes import path, text


def main(arguments: Sequence[str]) -> int:
    """Run the command on arguments without the program's name.

    Returns:
        Exit status: 0; 1 if the disk failed, 2 for bad input, 130 after Ctrl-C, 143 after SIGTERM.
    """
    return end_as_status("zsh_jax.export", lambda: _run(arguments), kept="nothing has been written")


def _run(arguments: Sequence[str]) -> int:
    takes = dict.fromkeys(("model", "features", "out"), path()) | {"array": text(200)}
    options = read_arguments(_parser(), arguments, takes)
    try:
        print(_export(options), flush=True)
    except InputError as error:  # use this command's name for "no index"
        raise InputError(str(error).replace("index=None", "--index none")) from None
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m zsh_jax.export",
        description="Encode features with a saved hash function, and write the codes and an index for FAISS.",
    )
    parser.add_argument("model", help="models/CELL_ID.safetensors of a sweep")
    parser.add_argument(
        "--features",
        required=True,
        help="file of features (n, d) and optional id (n,): .npz, .npy (FILE.id.npy beside it), .parquet or .mat",
    )
    parser.add_argument("--array", help="name of the array or column of features (default: a usual name)")
    parser.add_argument("--out", required=True, help="new folder for the export")
    parser.add_argument("--index", choices=("flat", "hnsw", "none"), default="flat", help="flat is exact")
    return parser


def _export(options: argparse.Namespace) -> str:
    from zsh_jax.core.hashing import code_length
    from zsh_jax.data.feature_files.arrays import open_arrays
    from zsh_jax.export.features import features_in, ids_in, read_whole
    from zsh_jax.export.write import export_index
    from zsh_jax.model_file import load_with_metadata

    model, metadata = load_with_metadata(options.model)
    file = Path(options.features)
    if not file.is_file():
        raise InputError(f"--features: there is no file {file}; fix: set --features")
    arrays = open_arrays(file)
    _, blocks = features_in(arrays, len(model.preprocessing.mean), options.array)
    features = read_whole(blocks)
    ids = ids_in(arrays)
    index = None if options.index == "none" else options.index
    folder = export_index(options.out, model, features, ids=ids, index=index, metadata=metadata)
    kind = "no index" if index is None else f"index {index}"
    return f"{folder}: {len(features):,} codes of {code_length(model)} bits, {kind}"


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
