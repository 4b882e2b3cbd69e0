"""Load MIRFlickr-25K; the first use prepares it from the unpacked archives."""

import shutil
import sys
from pathlib import Path
from typing import Any

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.images import check_whole
from zsh_jax.data.mirflickr.read import INSTRUCTIONS, read_archive
from zsh_jax.data.reading import written
from zsh_jax.data.tfds_source import load_tfds, own_builder
from zsh_jax.data.tfds_warnings import quiet
from zsh_jax.errors import InputError


def load_mirflickr(
    data_dir: str | None = None, *, path: str | None = None, relevant: bool = False, images: bool = True
) -> Dataset:
    """Load MIRFlickr-25K with its potential concepts, or with potential and relevant ones.

    Args:
        data_dir: folder of TFDS data sets; None for the TFDS default.
        path: folder of both unpacked archives, needed on first use only; None for `DATA_DIR/downloads/manual`, where
            TFDS looks for manual downloads.
        relevant: whether to add the 14 relevant concepts, `baby_r1` and so on, to the 24 potential ones.
        images: whether to return images; they are decoded on demand.

    Returns:
        The data set, in the order of the image numbers. Images without any concept are kept: they are in the database,
        relevant to no query, and never training samples or queries.

    Raises:
        InputError: files are missing or inconsistent; the message says what to do, and nothing is written.
    """
    builder = _builder(data_dir, relevant)
    if not builder.is_prepared():
        _prepare(builder, written(path) if path else None)
    name = f"{builder.name}/{builder.builder_config.name}"
    dataset = load_tfds(name, data_dir=data_dir, images=images, on_demand=True)
    return dataset._replace(name="mirflickr25k" + ("/relevant" if relevant else ""))


def _builder(data_dir: str | None, relevant: bool) -> Any:
    from zsh_jax.data.mirflickr.builder import ZshMirflickr25k

    config = "relevant" if relevant else "potential"
    return own_builder(
        lambda: ZshMirflickr25k(config=config, data_dir=data_dir), "zsh_mirflickr25k", data_dir
    )


def _prepare(builder: Any, path: Path | None) -> None:
    import tensorflow_datasets as tfds

    manual = path or Path(builder.data_dir).parents[2] / "downloads" / "manual"
    if not manual.is_dir():
        raise InputError(
            f"mirflickr: there is no folder {manual}; {INSTRUCTIONS}; set --config.dataset.path to it"
        )
    for image in read_archive(manual, builder.concepts).images:  # much faster than preparing
        check_whole(image)
    print(f"zsh_jax: preparing {builder.name} from {manual} into {builder.data_dir}", file=sys.stderr)
    there = set(Path(builder.data_dir).parent.glob("*incomplete*"))
    try:
        with quiet(streams=True):
            builder.download_and_prepare(
                file_format="array_record",
                download_config=tfds.download.DownloadConfig(manual_dir=manual),
            )
    except OSError as problem:
        raise InputError(
            f"cannot write {builder.name} to {builder.data_dir} ({problem}); fix: choose a writable folder"
        ) from problem
    finally:
        for left in set(Path(builder.data_dir).parent.glob("*incomplete*")) - there:
            shutil.rmtree(left, ignore_errors=True)
