"""The phases of a batch, as a trace of `jax.profiler` names them. Compilation is named in `zsh_jax.sweep.compiled`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from jax.profiler import TraceAnnotation

from zsh_jax.sweep.evaluate import encode_cells
from zsh_jax.sweep.plan import Batch
from zsh_jax.sweep.train import train

PREFIX = "zsh_jax: "
PREPARE, TRAIN, ENCODE, EVALUATE = "prepare", "train", "encode", "evaluate"
_PHASES: Mapping[Any, str] = MappingProxyType({train: TRAIN, encode_cells: ENCODE})


def phase(name: str, batch: Batch) -> TraceAnnotation:
    """A context that a trace shows under the name of the phase, with method, code length and number of cells."""
    about = {"method": batch.program.method, "bits": batch.program.bits, "cells": len(batch)}
    return TraceAnnotation(PREFIX + name, **about)


def phase_of(function: Any, batch: Batch) -> TraceAnnotation:
    """The phase of a jitted function of a batch."""
    return phase(_PHASES.get(function, EVALUATE), batch)
