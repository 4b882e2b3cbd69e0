"""The configuration of a sweep: defaults, and what each data set's protocol changes of them."""

from ml_collections import ConfigDict, config_dict

from zsh_jax.errors import InputError

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


def defaults() -> ConfigDict:
    """The published method at its published weights. Every axis of a sweep is a tuple of the values it takes.

    Returns:
        A configuration that lacks what only a data set can say: its name, and the axes of its protocol.
    """
    config = ConfigDict()
    config.name = "sweep"  # of the sweep: the group in Weights & Biases
    config.workdir = config_dict.placeholder(str)  # where results go; runs/{name}-{dataset} if not set
    config.memory_gib = 2.0  # what one batch of cells may take
    config.save_models = False  # keep the hash function of each cell

    config.dataset = ConfigDict()
    config.dataset.name = config_dict.placeholder(str)  # "shapes", or a data set of TFDS
    config.dataset.data_dir = config_dict.placeholder(str)  # of TFDS; its own default if not set

    config.features = ConfigDict()
    config.features.name = "gist"  # or "precomputed"
    config.features.path = config_dict.placeholder(str)  # folder of {split}.npz, for precomputed

    config.semantics = ConfigDict()
    config.semantics.path = config_dict.placeholder(str)  # word2vec or GloVe file, for word_vectors
    config.semantics.synonyms = ()  # pairs of a class name and the words to look up in its place

    config.evaluation = ConfigDict()
    config.evaluation.cutoffs = (100, 1000)  # the N of precision at N

    config.wandb = ConfigDict()
    config.wandb.mode = "offline"  # "online", "offline" or "disabled"
    config.wandb.project = "zsh_jax"
    config.wandb.entity = config_dict.placeholder(str)

    sweep = config.sweep = ConfigDict()
    sweep.method = ("zsh",)
    sweep.bits = (64,)
    sweep.seed = (0, 1, 2)
    sweep.lam = (1e-2,)
    sweep.alpha = (1e-5,)
    sweep.beta = (1e-4,)
    sweep.gamma = (1e-6,)
    sweep.rotation = ("procrustes",)
    sweep.max_iterations = (10,)
    sweep.max_sweeps = (10,)
    sweep.tolerance = (0.0,)
    sweep.neighbours = (10,)
    return config


def for_dataset(name: str) -> ConfigDict:
    """Defaults with the protocol of a data set.

    Args:
        name: "shapes" or "cifar10".

    Returns:
        A configuration, not yet locked.

    Raises:
        InputError: if there is no protocol for that data set.
    """
    config = defaults()
    sweep = config.sweep
    config.dataset.name = name
    if name == "shapes":
        # Four of thirty classes are unseen; 9,000 images leave 8,600 in the database.
        sweep.unseen = ("striped circle+checkered square+hollow triangle+spotted star",)
        sweep.semantics = ("attributes",)
        sweep.training_samples = (5000,)
        sweep.queries = (400,)
        sweep.anchors = (500,)
    elif name == "cifar10":
        # The sizes of the released evaluation: one unseen class at a time, 59,000 images in the database.
        config.features.name = "precomputed"
        sweep.unseen = CIFAR10_CLASSES
        sweep.semantics = ("word_vectors",)
        sweep.training_samples = (10_000,)
        sweep.queries = (1000,)
        sweep.anchors = (1000,)
    else:
        raise InputError(f"there is no protocol for data set {name!r}; take shapes or cifar10")
    return config
