"""The configuration of a sweep: defaults, and what each data set's protocol changes of them."""

from ml_collections import ConfigDict, config_dict

from zsh_jax.methods.table import METHODS, PUBLISHED
from zsh_jax.sweep.axes import own_defaults
from zsh_jax.sweep.protocols import apply_protocol


def defaults() -> ConfigDict:
    """The published method at its published weights. Every axis of a sweep is a tuple of the values it takes.

    Returns:
        A configuration that lacks what only a data set can say: its name, and the axes of its protocol.
    """
    config = ConfigDict()
    config.name = "sweep"  # of the sweep: the group in Weights & Biases
    config.workdir = config_dict.placeholder(str)  # where results go; runs/{name}-{dataset} if not set
    config.memory_gib = 2.0  # what one batch of cells may take
    config.validate_only = False  # check everything, say what would be run, and run nothing
    config.x64 = False  # float64 throughout: figures that are the same on every machine, in two to three times the time
    config.save_models = False  # keep the hash function of each cell
    config.report = True  # a page, figures and tables at the end, in workdir/report

    # Pictures of what is retrieved, for the page, where the data set has pictures.
    config.gallery = ConfigDict()
    config.gallery.queries = 6  # images, and class names at the most; 0 for no gallery
    config.gallery.neighbours = 10  # that are shown of each

    _add_inputs(config)

    config.evaluation = ConfigDict()
    config.evaluation.cutoffs = (100, 1000)  # the N of precision at N
    config.evaluation.seen_queries = 0  # images of seen classes that search too; 0 for none

    config.wandb = ConfigDict()
    config.wandb.mode = "offline"  # "online", "offline" or "disabled"
    config.wandb.project = "zsh_jax"
    config.wandb.entity = config_dict.placeholder(str)

    _add_sweep(config)

    # By name, axes that take other values: a grid for each, in the place of one.
    config.variants = ConfigDict()
    config.reference = config_dict.placeholder(str)  # the variant that the others are compared with

    # By variant, axes and the values that are tried on validation classes; then the best for each set of unseen classes
    # is run. See zsh_jax/sweep/tuning.py.
    config.tuning = ConfigDict()
    config.tuning.axes = ConfigDict()
    config.tuning.validation = 3  # seen classes that stand in for the unseen ones
    config.tuning.bits = (32,)
    config.tuning.seed = (0,)
    return config


def _add_sweep(config: ConfigDict) -> None:
    """Every axis that has a value for all data sets."""
    sweep = config.sweep = ConfigDict()
    sweep.method = (PUBLISHED,)
    sweep.bits = (64,)
    sweep.seed = (0, 1, 2)
    sweep.seen_classes = (0,)
    sweep.validation = (0,)
    sweep.preprocessing = ("standardise",)
    sweep.pca_dimensions = (0,)
    sweep.bandwidth = (1.0,)
    sweep.graph = ("knn",)
    sweep.neighbours = (10,)
    sweep.edge_weights = ("heat",)
    sweep.laplacian = ("plain",)
    for (
        name,
        method,
    ) in METHODS.items():  # a method's own axes, such as sweep.zsh.alpha; read where the method runs
        sweep[name] = ConfigDict({axis: (value,) for axis, value in own_defaults(method).items()})


def _add_inputs(config: ConfigDict) -> None:
    """What `zsh_jax.inputs.load` reads."""
    config.dataset = ConfigDict()
    _add_source(config.dataset)

    config.features = ConfigDict()
    config.features.name = "gist"  # see zsh_jax.features.spec; or "precomputed"; or "source", its own
    config.features.path = config_dict.placeholder(str)  # folder of {split}.npz, for precomputed
    config.features.weights = config_dict.placeholder(str)  # file of a network's; those of Keras if not set
    config.features.cache = config_dict.placeholder(str)  # folder; ~/.cache/zsh_jax/features if not set
    config.features.batch_size = 64  # pictures that a network takes at once

    # Another data set to learn from; `dataset` is then queried and searched alone.
    config.auxiliary = ConfigDict()
    config.auxiliary.dataset = ConfigDict()
    _add_source(config.auxiliary.dataset)
    config.auxiliary.features = ConfigDict()
    config.auxiliary.features.name = config_dict.placeholder(str)  # as features.name, which it is if not set
    config.auxiliary.features.path = config_dict.placeholder(str)

    config.semantics = ConfigDict()
    config.semantics.path = config_dict.placeholder(str)  # word2vec or GloVe file, for word_vectors
    config.semantics.limit = config_dict.placeholder(int)  # how many words of it are known, from the first
    config.semantics.lower_case = False  # look names up in lower case alone
    config.semantics.attributes = config_dict.placeholder(
        str
    )  # file, for attributes that a data set has not itself
    config.semantics.model = config_dict.placeholder(str)  # of sentence-transformers, for sentences
    config.semantics.prompt = "a photo of a {}"  # for sentences
    config.semantics.download = False  # a model of the hub that is not on disk
    config.semantics.missing = (
        "refuse"  # or "drop": leave out the classes without a vector, and images of these alone
    )
    config.semantics.missing_to = config_dict.placeholder(str)  # file that lists the classes without a vector
    config.semantics.synonyms = ()  # pairs of a class name and the words to look up in its place


def _add_source(dataset: ConfigDict) -> None:
    """What says which data set, and where it is; see `zsh_jax.data.registry.Source`."""
    dataset.name = config_dict.placeholder(str)  # shapes, cifar10, ..., or a data set of TFDS
    dataset.data_dir = config_dict.placeholder(str)  # of TFDS; its own default if not set
    dataset.path = config_dict.placeholder(str)  # of a folder or file that is no TFDS data set
    dataset.image_size = 224  # pictures of several sizes are brought to squares of this one
    dataset.classes = config_dict.placeholder(int)  # drawn among those with a vector; all if not set
    dataset.held_out = config_dict.placeholder(int)  # how many of them are "held-out"; one in ten if not set
    dataset.seed = 0  # of both draws
    dataset.arrays = ConfigDict()  # names of arrays in a file of features; the usual ones if empty
    dataset.arrays.features = ()
    dataset.arrays.labels = ()
    dataset.arrays.ids = ()
    dataset.first_label = config_dict.placeholder(int)  # 0 or 1, of such a file, where it does not tell


def for_dataset(name: str) -> ConfigDict:
    """Defaults with the protocol of a data set.

    Args:
        name: a key of `zsh_jax.data.catalogue.PROTOCOLS`.

    Returns:
        A configuration, not yet locked.

    Raises:
        InputError: if there is no protocol for that data set.
    """
    config = defaults()
    apply_protocol(config, name)
    return config
