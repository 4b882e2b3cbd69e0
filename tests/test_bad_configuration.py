"""A table of bad settings: whatever is wrong with one key, status 2, one line that names it, nothing else."""

from collections.abc import Iterator

import ml_collections
import numpy as np
import pytest
from bad_input import make_data, put, refusal, tiny_config
from hypothesis import given, settings
from hypothesis import strategies as st
from ml_collections import config_dict

from zsh_jax.commands.configuration import complete, read_config
from zsh_jax.errors import InputError
from zsh_jax.methods.table import METHODS
from zsh_jax.sweep.config import for_dataset
from zsh_jax.sweep.grid import groups
from zsh_jax.sweep.settings import check_settings

OPEN = ("variants", "tuning.axes")  # the keys below are the user's own
NAN, INF = float("nan"), float("inf")
HUGE = (2**63, 10**30, 10**5000)

# Values of no kind that any setting takes.
NEVER = (
    *(object(), b"16", 1j, NAN, INF, -INF, {"a": 1}, {1, 2}),
    *(np.arange(3), ((1,), (2,)), [[1]], "\x00", "\ud800"),
)
BY_KIND = {
    bool: (None, 0, 1, 1.0, "yes", "", ()),
    int: (None, True, 1.5, "7", "", -1, (1,), *HUGE),
    float: (None, "7", "", 0, -1.0, 1e-300, 1e300, (1.0,), *HUGE),
    str: (None, True, 7, 0.5, "", "two\nlines", ("a",)),
}
POSITIVE = (0, 0.0, -0.0, -1.0, True, None, "1", 1e-300, 1e-40, 1e300, *HUGE)
NOT_NEGATIVE = (-1.0, True, None, "1", 1e-300, 1e-40, 1e300, *HUGE)
COUNT = (0, -1, 2.0, True, None, 10**9, *HUGE)
WORD = (0, None, True, "", "nonesuch", "KNN ", "\u200b")
AXES = {
    "seed": (-1, 1.0, True, None, "0", 2**32, *HUGE),
    "bits": (-1, 16.0, True, None, "16", 10**9, *HUGE),
    **dict.fromkeys(
        ("training_samples", "queries", "anchors", "neighbours"), (0, -1, 2.0, True, None, 2**31, *HUGE)
    ),
    **dict.fromkeys(("seen_classes", "validation", "pca_dimensions"), (-1, 2.0, True, None, 2**31, *HUGE)),
    "bandwidth": POSITIVE,
    **dict.fromkeys(("method", "semantics", "preprocessing", "graph", "edge_weights", "laplacian"), WORD),
    "unseen": (0, None, True, "", "+", "a+", "+a", " ", "two\nlines"),
}
OWN = {
    **dict.fromkeys(("restarts", "max_iterations", "max_sweeps", "gradient_steps", "passes"), COUNT),
    **dict.fromkeys(("labelled", "draws", "alternations", "rank", "directions"), COUNT),
    **dict.fromkeys(("epochs", "positives"), COUNT),
    **dict.fromkeys(("starts", "batch_size"), (1, *COUNT)),
    **dict.fromkeys(("turns", "hidden"), (-1, 2.0, True, None, 10**9, *HUGE)),
    **dict.fromkeys(
        ("lam", "alpha", "beta", "alpha_growth", "learning_rate", "nu", "ridge", "odds"), POSITIVE
    ),
    **dict.fromkeys(("slope", "scale"), POSITIVE),
    **dict.fromkeys(("weight_decay", "quantisation", "margin", "growth"), NOT_NEGATIVE),
    "ksh.tolerance": POSITIVE,
    **dict.fromkeys(
        ("gamma", "delta", "tolerance", "joint_fixed.ridge", "centring", "shrinkage"), NOT_NEGATIVE
    ),
    **dict.fromkeys(("rotation", "locality", "turned", "centres"), WORD),
}
"""Of the axes that are a method's own; with the method's name where another has one of that name."""
OTHERS = {
    "name": (
        "../../esc",
        "/esc",
        ".",
        "..",
        ".hidden",
        "a/b",
        "a\\b",
        "a" * 121,
        "é" * 61,
        " a",
        "a ",
        "\u2028",
    ),
    "workdir": (" a", "a ", "\n", "a" * 5000, "~nobody-of-that-name/x"),
    "dataset.name": ("../esc", "/esc", "a//b", "a/../b", "cifar10/", ".", "a" * 121),
    "auxiliary.dataset.name": ("../esc", "/esc", "a//b"),
    "wandb.mode": ("onlne", "OFFLINE", "offline "),
    "wandb.project": ("a/b", "a#b", "a?b", "a%b", "a:b", "a" * 129),
    "wandb.entity": ("a/b", "a" * 129),
    "reference": ("zsh", "../x"),
    "evaluation.cutoffs": (
        0,
        1,
        (0,),
        (-1,),
        (True,),
        (1.0,),
        (100, 100),
        (1000, 100),
        ("100",),
        *((n,) for n in HUGE),
    ),
    "evaluation.search": (
        "asymmetric",
        ("hamming",),
        ("asymmetric", "asymmetric"),
        ("Rescored",),
        (1,),
        (True,),
    ),
    "evaluation.rescored": (0, -1),
    "gallery.queries": (101, 10**9),
    "gallery.neighbours": (0, 101),
    "memory_gib": (1e-9, 1e7),
    **{f"{part}dataset.path": ((), ("a", "a"), ("a", ""), " a", "") for part in ("", "auxiliary.")},
    "dataset.image_size": (0, 10**6),
    "dataset.classes": (0, 1),
    "dataset.held_out": (0,),
    "dataset.seed": (2**32,),
    "features.batch_size": (0, 10**6),
    "semantics.limit": (0,),
    "semantics.prompt": ("a photo", "{} {}", "{name}"),
    "semantics.synonyms": (("cat", "kitten"), (("cat",),), (("cat", 3),), (["cat", "kitten"],), "cat"),
    "tuning.validation": (0, -1),
    "tuning.bits": ((), (-1,), (True,), (16, 16), ("16",), 16),
    "tuning.seed": ((), (-1,), (2**32,), (0, 0), (0.0,), 0),
    **{
        f"{part}dataset.arrays.{key}": ((1,), ("",), ("a", "a"), "a")
        for part in ("", "auxiliary.")
        for key in ("features", "labels", "ids")
    },
}


def _leaves(config, before: str = "") -> Iterator[tuple[str, type, bool]]:
    """Every setting, its type, and whether it may be None."""
    for key, value in config.items():
        path = f"{before}{key}"
        if isinstance(value, ml_collections.ConfigDict) and path not in OPEN:
            yield from _leaves(value, f"{path}.")
        else:
            yield path, config.get_type(key), value is None


def _unset(config) -> Iterator[str]:
    yield from (key for key, _, optional in _leaves(config) if optional)


KINDS = {key: kind for key, kind, _ in _leaves(for_dataset("features")) if key not in OPEN}
OWN_KEYS = frozenset(key for key in KINDS if key.startswith("sweep.") and key.count(".") == 2)
FIRST = {
    key.rpartition(".")[2]: key for key in sorted(OWN_KEYS, reverse=True)
}  # one method for each own axis
AGAIN = OWN_KEYS - set(FIRST.values())  # read by the same rule as the first of their name
ONCE = [key for key in KINDS if key not in OWN_KEYS or key in FIRST.values()]
OPTIONAL = frozenset(_unset(for_dataset("cifar10")))


def _wrong(key):
    """Values that a setting does not take, as an experiment may give them."""
    axis = key.removeprefix("sweep.")
    if axis != key:
        wrong = AXES.get(axis) or OWN.get(axis) or OWN[axis.partition(".")[2]]
        values = [(), *((value,) for value in (*NEVER, *wrong))]
        return values[1 :: len(values) // 3] if key in AGAIN else values
    values = [*NEVER, *BY_KIND.get(KINDS[key], (None, 0.5, {"a": 1})), *OTHERS.get(key, ())]
    return [value for value in values if not (key in OPTIONAL and value is None)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    make_data(folder)
    return folder


@pytest.mark.parametrize("key", KINDS)
def test_every_value_of_the_wrong_kind_or_range_is_refused_by_the_name_of_its_key(
    launch, folder, capsys, key
):
    for value in _wrong(key):
        try:
            config = put(tiny_config(folder), {key: value})
        except OverflowError:
            continue  # a ConfigDict makes floats of whole numbers, and cannot of this one
        assert refusal(launch, folder, capsys, config).startswith(key), (key, value)


def test_a_configuration_that_is_completed_is_left_as_it_was(folder):
    config = put(tiny_config(folder), {"workdir": None})
    config.sweep.queries = config_dict.FieldReference((7,))
    before = config.to_dict()
    made = complete(config)
    assert (config.to_dict(), config.is_locked) == (before, False)
    assert (made.workdir, made.sweep.queries, made.is_locked) == ("runs/tiny-features", (7,), True)


TEXTS = {
    bool: ("7", "maybe", "None", ""),
    int: ("many", "1.5", "1e3", "nan", "(1,)", "True", "", "9" * 5000, "--"),
    float: ("much", "nan", "inf", "-inf", "1e400", "(1.0,)", "True", "", "-1"),
    str: ("", "two\nlines"),
    object: ("", "two\nlines", "()", "(1,)", "('a', 'a')", "('a', ' b')"),
    tuple: (
        "(16,",
        "()",
        "{16}",
        "{'a': 1}",
        "(None,)",
        "((16,),)",
        "[[16]]",
        "(True,)",
        "(" * 500,
        "b'16'",
        "nan,",
        "(1e999,)",
    ),
}


@pytest.mark.parametrize("key", ONCE)
def test_every_text_of_the_wrong_kind_is_refused_by_the_name_of_its_flag(launch, folder, capsys, key):
    kind = tuple if issubclass(KINDS[key], tuple) else KINDS[key]
    for text in TEXTS[kind]:
        if kind is tuple and text == "()" and not key.startswith(("sweep.", "tuning.")):
            continue  # no cut-offs, no synonyms, the usual names of arrays
        if kind is int and text == "None" and key in OPTIONAL:
            continue
        assert key in refusal(launch, folder, capsys, tiny_config(folder), f"--config.{key}={text}"), (
            key,
            text,
        )


@pytest.mark.parametrize("key", ONCE)
def test_a_misspelt_key_is_refused_with_the_nearest_one(launch, folder, capsys, key):
    before, _, last = key.rpartition(".")
    misspelt = f"{before}.{last[:-1]}_{last[-1]}".lstrip(".")
    said = refusal(launch, folder, capsys, tiny_config(folder), f"--config.{misspelt}=1")
    assert said.startswith(f"there is no setting --config.{misspelt}; nearest: ")
    assert last in said
    said = refusal(launch, folder, capsys, put(tiny_config(folder), {misspelt: (1,)}))
    assert misspelt.removeprefix("sweep.") in said
    assert last in said.replace(misspelt, "")


@pytest.mark.parametrize("key", ONCE)
def test_a_flag_given_twice_is_refused(launch, folder, capsys, key):
    said = refusal(launch, folder, capsys, tiny_config(folder), f"--config.{key}=1", f"-config.{key}", "2")
    assert said.startswith(f"--config.{key} is given twice; fix: ")


@pytest.mark.parametrize("key", [key for key in KINDS if key not in OWN_KEYS])
def test_a_configuration_that_lacks_a_key_is_refused(launch, folder, capsys, key):
    config = tiny_config(folder)
    here = config
    *before, last = key.split(".")
    for one in before:
        here = here[one]
    del here[last]
    said = refusal(launch, folder, capsys, config)
    assert said.startswith(f"sweep: axis {last!r} is missing" if before == ["sweep"] else f"{key} is missing")


@pytest.mark.parametrize("method", METHODS)
def test_a_configuration_that_lacks_the_own_axes_of_a_method_has_its_published_ones(folder, method):
    config = put(
        tiny_config(folder), {"sweep.method": (method,), "sweep.bits": (8 * METHODS[method].has_codes,)}
    )
    whole = groups(config.sweep.to_dict())
    check_settings(config)
    for axis in (*config.sweep[method], None):
        part = config.copy_and_resolve_references()
        if axis is None:
            del part.sweep[method]
        else:
            del part.sweep[method][axis]
        check_settings(part)
        assert groups(part.sweep.to_dict()) == whole


LITERALS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple)
        | st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=6,
)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(key=st.sampled_from([*KINDS, *OPEN]), value=LITERALS)
def test_an_arbitrary_literal_is_refused_by_name_or_taken_as_it_is(folder, key, value):
    """Through the command line: no other exception than the project's own, and nothing silently changed."""
    experiment = folder / "plain.py"
    if not experiment.exists():
        experiment.write_text(
            "from zsh_jax.sweep.config import for_dataset\n\n\ndef get_config():\n    return for_dataset('features')\n"
        )
    try:
        config = read_config(["launch.py", f"--config={experiment}", f"--config.{key}={value!r}"])
    except InputError as error:
        said = str(error)
    else:
        said = ""
    if said:
        assert key in said
        assert "\n" not in said
        return
    here = config
    for one in key.split("."):
        here = here[one]
    if KINDS.get(key) in (str, object) and not isinstance(here, tuple):
        assert here == repr(value) or (value is None and here is None) or key == "workdir"
    elif isinstance(here, tuple):
        assert repr(here) == repr(tuple(value) if isinstance(value, tuple | list) else (value,))
    elif key not in OPEN:
        assert here == value
