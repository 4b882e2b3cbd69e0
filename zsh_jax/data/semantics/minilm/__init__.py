"""Sentence embeddings of class names, shipped with the package; see `PROVENANCE.md` for their source."""

from zsh_jax.data.semantics.minilm.table import minilm_vectors

__all__ = ["minilm_vectors"]
