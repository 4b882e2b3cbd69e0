"""Export codes, an index or a hash function: `python -m zsh_jax.export MODEL --features FILE --out OUT`."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zsh_jax.command_line import read_arguments
from zsh_jax.errors import InputError
from zsh_jax.exits import end_as_status
from zsh_jax.interrupts import leave
from zsh_jax.takes import path, text

if TYPE_CHECKING:
    from zsh_jax.core.hashing import HashFunction
    from zsh_jax.export.feature_file import FeatureFile


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
        description="Encode features with a saved hash function, and write the codes and an index; or write the hash "
        "function itself for ONNX.",
    )
    parser.add_argument("model", help="models/CELL_ID.safetensors of a sweep")
    parser.add_argument(
        "--features",
        help="file of features (n, d) and optional id (n,): .npz, .npy (FILE.id.npy beside it), .parquet or .mat; not "
        "for .onnx",
    )
    parser.add_argument("--array", help="name of the array or column of features (default: a usual name)")
    parser.add_argument(
        "--out",
        required=True,
        help="new folder for codes and an index of FAISS; or a new file: .onnx (the hash function), .usearch (an "
        "index), .mat (codes, and labels if FEATURES has them)",
    )
    parser.add_argument(
        "--index", choices=("flat", "hnsw", "none"), help="in a folder; flat, the default, is exact"
    )
    return parser


def _export(options: argparse.Namespace) -> str:
    from zsh_jax.model_file import load_with_metadata

    model, metadata = load_with_metadata(options.model)
    ending = Path(options.out).suffix.lower()
    if ending and ending not in FILES and ending[1:].isalpha() and not Path(options.out).exists():
        raise InputError(
            f"--out: there is no export to {ending} files; fix: {', '.join(FILES)}, or a name without an ending for a "
            "folder"
        )
    if ending in FILES and options.index is not None:
        raise InputError(f"--index: is for a folder, not for a {ending} file; fix: leave it out")
    if ending == ".onnx" and options.features is not None:
        raise InputError("--features: an .onnx file holds no codes; fix: leave it out")
    if ending != ".onnx" and options.features is None:
        raise InputError("--features: is missing; fix: give the file of features to encode")
    if ending in FILES:
        return f"{options.out}: {FILES[ending](options, model)}"
    return _folder(options, model, metadata)


def _read(options: argparse.Namespace, model: "HashFunction", *, with_labels: bool = False) -> "FeatureFile":
    from zsh_jax.export.feature_file import read_feature_file

    values = len(model.preprocessing.mean)
    return read_feature_file(options.features, values, array=options.array, with_labels=with_labels)


def _folder(options: argparse.Namespace, model: "HashFunction", metadata: Mapping[str, Any]) -> str:
    from zsh_jax.core.hashing import code_length
    from zsh_jax.export.write import export_index

    file = _read(options, model)
    chosen = options.index or "flat"
    index = None if chosen == "none" else chosen
    folder = export_index(options.out, model, file.features, ids=file.ids, index=index, metadata=metadata)
    kind = "no index" if index is None else f"index {index}"
    return f"{folder}: {len(file.features):,} codes of {code_length(model)} bits, {kind}"


def _onnx(options: argparse.Namespace, model: "HashFunction") -> str:
    from zsh_jax.core.hashing import code_length
    from zsh_jax.export.onnx_graph import save_onnx

    save_onnx(options.out, model)
    return f"a hash function of {code_length(model)} bits"


def _usearch(options: argparse.Namespace, model: "HashFunction") -> str:
    from zsh_jax.core.hashing import code_length
    from zsh_jax.export.checks import check_installed
    from zsh_jax.export.codes import codes_of
    from zsh_jax.export.new_file import check_new_file
    from zsh_jax.export.usearch_index import save_usearch

    check_installed("usearch", "usearch")  # and the place, before features are encoded
    check_new_file(options.out, ".usearch")
    codes = codes_of(model, _read(options, model).features)
    save_usearch(options.out, codes)
    return f"{len(codes):,} codes of {code_length(model)} bits, index of usearch"


def _mat(options: argparse.Namespace, model: "HashFunction") -> str:
    from zsh_jax.core.hashing import code_length
    from zsh_jax.export.codes import codes_of
    from zsh_jax.export.matlab_file import save_mat
    from zsh_jax.export.new_file import check_new_file

    check_new_file(options.out, ".mat")
    file, bits = _read(options, model, with_labels=True), code_length(model)
    codes = codes_of(model, file.features)
    save_mat(options.out, codes, bits=bits, labels=file.labels, class_names=file.class_names, ids=file.ids)
    classes = "no labels" if file.class_names is None else f"labels of {len(file.class_names):,} classes"
    return f"{len(codes):,} codes of {bits} bits, {classes}"


FILES: Mapping[str, Callable[[argparse.Namespace, "HashFunction"], str]] = {
    ".onnx": _onnx,
    ".usearch": _usearch,
    ".mat": _mat,
}
"""What to write by the ending of `--out`; any other name is that of a folder."""

if __name__ == "__main__":
    leave(main(sys.argv[1:]))
