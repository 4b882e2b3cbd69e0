"""The configuration of a sweep: defaults, and the changes of each data set's protocol."""

from typing import Any

from ml_collections import ConfigDict, config_dict

from zsh_jax.methods.table import METHODS, PUBLISHED
from zsh_jax.sweep.axes import own_defaults
from zsh_jax.sweep.protocols import apply_protocol
from zsh_jax.sweep.searches import searching_of


def defaults() -> ConfigDict:
    """The published method at its published weights. Every axis of a sweep is a tuple of values.

    Returns:
        A configuration without the name of a data set and the axes of its protocol.
    """
    config = ConfigDict()
    config.name = "sweep"  # of the sweep; also the group in Weights & Biases
    config.workdir = config_dict.placeholder(str)  # folder of the results; runs/{name}-{dataset} if not set
    config.memory_gib = 2.0  # memory limit of one batch of cells
    # "memory": RBF features of all training samples are held; "blocks": computed anew, a block of samples at a time, in
    # each pass of the methods that can; "auto": in blocks if memory_gib is too small to hold them
    config.samples = "auto"
    config.checkpoint_seconds = 60.0  # a cell that trains longer, in blocks, is written to a file that often
    config.mesh = ConfigDict()
    config.mesh.sweep = config_dict.placeholder(
        int
    )  # places over which data splits are spread; None for as many as there are devices for
    config.mesh.data = 1  # devices of a place, over which the samples of a split lie
    _add_distributed(config)
    config.shard = config_dict.placeholder(str)  # I/N: run the I-th of N parts, in a workdir of its own
    config.validate_only = False  # check everything, print the plan, run nothing
    config.x64 = False  # float64: the same results on every machine, in two to three times the time
    config.products = (
        "float32"  # "tensorfloat32": faster products of matrices on GPUs; see docs/performance.md
    )
    config.cache_programs = True  # keep compiled programs in ~/.cache/zsh_jax/programs, for the next start
    config.save_models = False  # save the hash function of each cell
    config.report = True  # write a page, figures and tables at the end, in workdir/report

    # Retrieval examples on the page, if the data set has images.
    config.gallery = ConfigDict()
    config.gallery.queries = 6  # query images, and the most class names; 0 for no examples
    config.gallery.neighbours = 10  # nearest images shown for each
    config.gallery.tsne = False  # maps of the codes by t-SNE too, beside those by principal components

    _add_inputs(config)

    # How the data set is split; sweep.unseen, training_samples and queries say the rest.
    config.split = ConfigDict()
    config.split.path = config_dict.placeholder(str)  # file of training samples, queries and database
    config.split.of_each_class = False  # draw as many queries, and as many training samples, of each class
    config.split.database = "rest"  # all but the queries; "untrained": without training samples too

    config.evaluation = ConfigDict()
    config.evaluation.cutoffs = (100, 1000)  # the N of precision at N
    config.evaluation.seen_queries = 0  # queries of seen classes (generalised setting); 0 for none
    config.evaluation.search = ()  # searches beside Hamming distance: "asymmetric", "rescored", "rabitq"
    config.evaluation.rescored = 100  # nearest items that "rescored" ranks again

    config.wandb = ConfigDict()
    config.wandb.mode = "offline"  # "online", "offline" or "disabled"
    config.wandb.project = "zsh_jax"
    config.wandb.entity = config_dict.placeholder(str)
    # a run that gets the means over all cells, in place of runs of cells; under `wandb agent`, the agent's run
    config.wandb.run_id = config_dict.placeholder(str)

    config.profile = False  # a trace of the first batch in workdir/profile; see docs/performance.md
    config.tensorboard = False  # event files of TensorBoard in workdir/tensorboard, a run a cell

    _add_sweep(config)

    # Axes with other values, by the name of a variant. Each variant is a grid of its own.
    config.variants = ConfigDict()
    config.reference = config_dict.placeholder(str)  # the variant that the others are compared with

    _add_tuning(config)
    return config


def _add_tuning(config: ConfigDict) -> None:
    """The best setting on validation classes, for each set of unseen classes, is run; see zsh_jax/sweep/tuning.py."""
    tuning = config.tuning = ConfigDict()
    tuning.axes = ConfigDict()  # axes and the values to try, by variant
    tuning.validation = 3  # seen classes that replace the unseen ones
    tuning.bits = (32,)
    tuning.seed = (0,)
    tuning.widen = 0  # times that a range grows, if its lowest or highest value is the best
    # Settings that Optuna draws for each variant and set (docs/how-to/optuna.md); 0 tries the product of the values.
    tuning.trials = 0
    tuning.batch = 16  # settings that it draws, and that run, at once
    tuning.sampler_seed = 0  # of its draws


def _add_distributed(config: ConfigDict) -> None:
    """Several processes that run one sweep together; see docs/scaling.md."""
    several = config.distributed = ConfigDict()
    several.auto = False  # JAX finds the other processes itself: on Slurm, Open MPI, Kubernetes and TPUs
    several.coordinator = config_dict.placeholder(str)  # HOST:PORT of process 0, the same in all
    several.processes = config_dict.placeholder(int)  # their number
    several.process = config_dict.placeholder(int)  # of this process, from 0; process 0 writes the results
    several.start_seconds = 300  # until all processes must have started
    several.lost_seconds = 30  # without a heartbeat, until a process counts as lost and the others end


def _add_sweep(config: ConfigDict) -> None:
    """Axes with the same default for all data sets."""
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
    ) in METHODS.items():  # a method's own axes, such as sweep.zsh.alpha; only that method reads them
        sweep[name] = ConfigDict({axis: (value,) for axis, value in own_defaults(method).items()})


def _add_inputs(config: ConfigDict) -> None:
    """Settings that `zsh_jax.inputs.load` reads."""
    config.dataset = ConfigDict()
    _add_source(config.dataset)

    config.features = ConfigDict()
    config.features.name = (
        "gist"  # see zsh_jax.features.spec; or "precomputed"; or "source": the data set's own
    )
    config.features.path = config_dict.placeholder(str)  # folder of {split}.npz or parts, for precomputed
    config.features.weights = config_dict.placeholder(
        str
    )  # file of network weights; those of Keras if not set. For towers, the folder of a model, or its name
    config.features.cache = config_dict.placeholder(str)  # folder; ~/.cache/zsh_jax/features if not set
    config.features.batch_size = 64  # images that a network takes at once
    config.features.download = False  # download the model of towers if it is not on disk

    # Another data set to train on; `dataset` then has only queries and database.
    config.auxiliary = ConfigDict()
    config.auxiliary.dataset = ConfigDict()
    _add_source(config.auxiliary.dataset)
    config.auxiliary.features = ConfigDict()
    config.auxiliary.features.name = config_dict.placeholder(str)  # features.name if not set
    config.auxiliary.features.path = config_dict.placeholder(str)

    config.semantics = ConfigDict()
    config.semantics.path = config_dict.placeholder(str)  # word2vec or GloVe file, for word_vectors
    config.semantics.limit = config_dict.placeholder(
        int
    )  # read only the first words of the file; all if not set
    config.semantics.lower_case = False  # look up names in lower case only
    config.semantics.attributes = config_dict.placeholder(
        str
    )  # file of attributes, for a data set that has none itself
    config.semantics.model = config_dict.placeholder(str)  # folder or name, for sentences and towers
    config.semantics.prompt = config_dict.placeholder(
        str
    )  # text with {} for the class name; "a photo of a {}" for sentences, "a photo of a {}." for towers if not set
    config.semantics.download = False  # download the model if it is not on disk
    config.semantics.missing = (
        "refuse"  # or "drop": exclude classes without a vector, and images that have no other class
    )
    config.semantics.missing_to = config_dict.placeholder(
        str
    )  # write the classes without a vector to this file
    config.semantics.synonyms = ()  # pairs of a class name and the words to look up instead


def _add_source(dataset: ConfigDict) -> None:
    """The data set and its place; see `zsh_jax.data.registry.Source`."""
    dataset.name = config_dict.placeholder(str)  # shapes, cifar10, ..., or a data set of TFDS
    dataset.data_dir = config_dict.placeholder(str)  # folder of TFDS data sets; the TFDS default if not set
    dataset.path = config_dict.placeholder(
        object
    )  # folder or file that is not a TFDS data set; a tuple of files, or a pattern such as "features-*.npz"
    dataset.root = config_dict.placeholder(str)  # folder of the images of lists; that of the lists if not set
    dataset.image_size = 224  # images of different sizes are resized to squares of this side
    dataset.classes = config_dict.placeholder(int)  # number drawn among classes with a vector; all if not set
    dataset.held_out = config_dict.placeholder(
        int
    )  # number of them that are "held-out"; one in ten if not set
    dataset.seed = 0  # of both draws
    dataset.arrays = ConfigDict()  # names of arrays in a feature file; the usual ones if empty
    dataset.arrays.features = ()
    dataset.arrays.labels = ()
    dataset.arrays.ids = ()
    dataset.first_label = config_dict.placeholder(
        int
    )  # 0 or 1: first label of a feature file; inferred if not set


def evaluation_of(config: ConfigDict) -> dict[str, Any]:
    """The settings of the evaluation, as arguments of `run`."""
    asked = config.evaluation
    return {
        "cutoffs": tuple(asked.cutoffs),
        "seen_queries": asked.seen_queries,
        "searching": searching_of(config),
    }


def for_dataset(name: str) -> ConfigDict:
    """Defaults with the protocol of a data set: a key of `zsh_jax.data.catalogue.PROTOCOLS`. Not locked yet.

    Raises:
        InputError: if there is no protocol for that data set.
    """
    config = defaults()
    apply_protocol(config, name)
    return config
