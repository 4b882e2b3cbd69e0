"""The methods that have no objective to follow, by name, and what each may tune: ten baselines and our joint form."""

from collections.abc import Callable
from typing import Any, NamedTuple

from jaxtyping import Array, Float

from zsh_jax.baselines import cca_itq, cosdish, fsdh, itq, joint, ksh, lsh, pcah, sdh, semantic_ridge, sgh
from zsh_jax.core.joint import JointOptions


class Baseline(NamedTuple):
    """A method for comparison.

    Attributes:
        fit: from (key, data, options, bits=...) to a `Linear`, `Kernel` or `Joint` map.
        options: from a multiple of the published value of what the method may tune, to its options.
        tunes: what that is; "" for nothing.
        linear: whether it maps the features alone, not the RBF features.
        may_know_one_label: whether `fit` takes `one_label`, that each sample has one label.
        components: whether its bits are principal components, of which there are no more than features.
    """

    fit: Callable[..., Any]
    options: Callable[[Float[Array, ""]], Any]
    tunes: str
    linear: bool
    may_know_one_label: bool = False
    components: bool = False


BASELINES = {
    "lsh": Baseline(lsh.fit, lambda multiple: lsh.LSHOptions(), "", True),
    "pcah": Baseline(pcah.fit, lambda multiple: pcah.PCAHOptions(), "", True, components=True),
    "itq": Baseline(itq.fit, lambda multiple: itq.ITQOptions(), "", True, components=True),
    "cca_itq": Baseline(
        cca_itq.fit, lambda multiple: cca_itq.CCAITQOptions(ridge=1e-4 * multiple), "ridge", True
    ),
    "sgh": Baseline(sgh.fit, lambda multiple: sgh.SGHOptions(ridge=1e-6 * multiple), "ridge", False),
    "ksh": Baseline(
        ksh.fit, lambda multiple: ksh.KSHOptions(tolerance=1e-2 * multiple), "tolerance", False, True
    ),
    "sdh": Baseline(sdh.fit, lambda multiple: sdh.SDHOptions(nu=1e-5 * multiple), "nu", False),
    "fsdh": Baseline(fsdh.fit, lambda multiple: fsdh.FSDHOptions(nu=1e-5 * multiple), "nu", False),
    "cosdish": Baseline(
        cosdish.fit, lambda multiple: cosdish.COSDISHOptions(ridge=1.0 * multiple), "ridge", True
    ),
    "semantic_ridge": Baseline(
        semantic_ridge.fit,
        lambda multiple: semantic_ridge.SemanticRidgeOptions(ridge=1.0 * multiple),
        "ridge",
        False,
    ),
    "joint": Baseline(joint.fit, lambda multiple: JointOptions(odds=1.5 * multiple), "odds", False),
    "joint_random": Baseline(
        joint.fit_random, lambda multiple: JointOptions(odds=1.5 * multiple), "odds", False
    ),
    "joint_turned": Baseline(
        joint.fit_turned, lambda multiple: JointOptions(odds=1.5 * multiple), "odds", False
    ),
}
