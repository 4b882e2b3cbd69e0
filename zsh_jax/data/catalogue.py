"""Table of the built-in data sets. To add one, add an entry here and the file that loads it."""

from types import MappingProxyType

from zsh_jax.data import loaders
from zsh_jax.data.folder import LAYOUT
from zsh_jax.data.image_lists import LAYOUT as LISTS_LAYOUT
from zsh_jax.data.mirflickr import RELEVANT
from zsh_jax.data.spec import DatasetSpec, Protocol
from zsh_jax.data.unseen import NONE
from zsh_jax.data.xlsa17 import LAYOUT as XLSA17_LAYOUT
from zsh_jax.data.xlsa17 import SETS

CIFAR10_CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
PRECOMPUTED = ("precomputed", "word_vectors")  # features and semantics of most data sets
CUTOFFS = (100, 1000, 5000)
XLSA17 = Protocol("awa2", "source", "attributes", training_samples=0, cutoffs=CUTOFFS)
# The protocols of deep hashing have no unseen class.
SUPERVISED = Protocol(
    "cifar10", *PRECOMPUTED, unseen=(NONE,), training_samples=5000, queries=1000, of_each_class=True
)


_ENTRIES = (
    # Four of thirty classes are unseen; 9,000 images leave 8,600 in the database.
    DatasetSpec(
        "shapes",
        loaders.shapes,
        "that of this package",
        {
            "shapes": Protocol(
                "shapes",
                "gist",
                "attributes",
                unseen=("striped circle+checkered square+hollow triangle+spotted star",),
                training_samples=5000,
                queries=400,
                anchors=500,
            )
        },
        stored_as="zsh_shapes",
        obtain="generated on first use, or by `prepare shapes`",
    ),
    # Ten of a hundred classes are unseen; the two kinds of features tell shape and hue.
    DatasetSpec(
        "tinted_shapes",
        loaders.tinted_shapes,
        "that of this package",
        {
            "tinted_shapes": Protocol(
                "tinted_shapes",
                "gist+colour",
                "attributes",
                unseen=(
                    "red solid circle+yellow checkered square+blue hollow triangle+green striped star+red spotted cross"
                    "+red striped circle+yellow spotted square+blue solid triangle+green checkered star"
                    "+red hollow cross",
                ),
                training_samples=5000,
                queries=500,
                anchors=500,
            )
        },
        stored_as="zsh_tinted_shapes",
        obtain="generated on first use, or by `prepare tinted_shapes`",
    ),
    # The sizes of the released evaluation: one unseen class at a time, 59,000 images in the database.
    DatasetSpec(
        "cifar10",
        loaders.load_from_tfds,
        "none is stated; its authors ask to be cited",
        {
            "cifar10": Protocol("cifar10", *PRECOMPUTED, unseen=CIFAR10_CLASSES),
            # The splits of deep hashing, by the size of the database.
            "cifar10_54000": SUPERVISED._replace(database="untrained"),
            "cifar10_59000": SUPERVISED,
            "cifar10_50000": SUPERVISED._replace(training_samples=50_000, queries=10_000),
        },
    ),
    # The sizes of all other protocols are ours, chosen in proportion.
    DatasetSpec(
        "cifar100",
        loaders.load_from_tfds,
        "none is stated; its authors ask to be cited",
        {"cifar100": Protocol("cifar100", *PRECOMPUTED)},
    ),
    DatasetSpec(
        "imagenet2012",
        loaders.imagenet,
        "its terms of access: research and education, not commercial",
        {"imagenet100": Protocol("imagenet2012", *PRECOMPUTED, classes=100, held_out=10)},
        obtain="place its archives in DATA_DIR/downloads/manual, then `prepare imagenet2012`; see docs/data.md",
    ),
    DatasetSpec(
        "imagenet_resized",
        loaders.imagenet,
        "as ImageNet",
        {"imagenet_resized": Protocol("imagenet_resized/32x32", *PRECOMPUTED, classes=100, held_out=10)},
    ),
    DatasetSpec(
        "mirflickr",
        loaders.mirflickr,
        "each photograph its own Creative Commons licence, in its metadata",
        {
            "mirflickr": Protocol("mirflickr", *PRECOMPUTED, unseen=("baby+bird+car+dog",)),
            # A relevant concept uses the words of its potential concept and is held out together with it.
            "mirflickr_relevant": Protocol(
                "mirflickr/relevant",
                *PRECOMPUTED,
                unseen=("baby+baby_r1+bird+bird_r1+car+car_r1+dog+dog_r1",),
                synonyms=tuple((name, name.removesuffix("_r1")) for name in RELEVANT),
            ),
        },
        stored_as="zsh_mirflickr25k",
        obtain="`prepare mirflickr --path ARCHIVES`; without --path it prints what to download",
    ),
    DatasetSpec(
        "nuswide",
        loaders.nuswide,
        "see its page; the photographs belong to users of Flickr",
        {
            "nuswide": Protocol("nuswide", "source", "word_vectors"),
            # 100 queries and 500 training images of each of the 21 most frequent concepts (Li et al. 2016, DPSH).
            "nuswide21": SUPERVISED._replace(
                dataset="nuswide/21",
                features="source",
                training_samples=10_500,
                queries=2100,
                cutoffs=CUTOFFS,
            ),
        },
        path="the folder that holds Groundtruth/TrainTestLabels",
        has_images=False,
    ),
    # All of trainval_loc is trained on; queries are drawn from test_unseen_loc, where SUN has 20 images of a class.
    *(
        DatasetSpec(
            name,
            loaders.xlsa17,
            "see the page of the data set; features and splits state none",
            {name: XLSA17._replace(dataset=name, queries=500 if name == "sun" else 1000)},
            path=XLSA17_LAYOUT,
            has_images=False,
            states_roles=True,
        )
        for name in SETS
    ),
    # Each of six labels is unseen once, two at a time; 2,407 images.
    DatasetSpec(
        "scene",
        loaders.scene,
        "none is stated",
        {
            "scene": Protocol(
                "scene",
                "source",
                "word_vectors",
                unseen=("Beach+Urban", "Sunset+Mountain", "FallFoliage+Field"),
                training_samples=1000,
                queries=200,
                anchors=300,
                synonyms=(("FallFoliage", "autumn leaves"),),
            )
        },
        path="the folder that holds train.npz, test.npz and labels.txt",
        has_images=False,
    ),
    DatasetSpec(
        "folder",
        loaders.folder,
        "yours",
        {
            "folder": Protocol(
                "folder", "gist", "word_vectors", training_samples=1000, queries=100, anchors=300
            )
        },
        path=LAYOUT,
    ),
    DatasetSpec(
        "huggingface",
        loaders.hugging_face,
        "see its card",
        {
            "huggingface": Protocol(
                "huggingface", "gist", "word_vectors", training_samples=1000, queries=100, anchors=300
            )
        },
        path="a folder of save_to_disk, or Parquet files with a column of images",
    ),
    DatasetSpec(
        "lists",
        loaders.lists,
        "yours",
        {
            "lists": Protocol(
                "lists", "gist", "one-hot", unseen=(NONE,), training_samples=0, queries=0, anchors=300
            )
        },
        path=LISTS_LAYOUT,
        states_roles=True,
    ),
    DatasetSpec(
        "features",
        loaders.feature_files,
        "yours",
        {
            "features": Protocol(
                "features", "source", "word_vectors", training_samples=1000, queries=100, anchors=300
            )
        },
        path="a file of features (.npz, .npy, .parquet, .arrow, .mat), or its parts",
        has_images=False,
    ),
)
DATASETS = MappingProxyType({spec.name: spec for spec in _ENTRIES})
"""Every data set by its name."""

PROTOCOLS = MappingProxyType({name: one for spec in _ENTRIES for name, one in spec.protocols.items()})
"""Every protocol by its name."""
