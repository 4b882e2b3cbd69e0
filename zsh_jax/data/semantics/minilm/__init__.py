"""Sentence embeddings of class names that come with the package; `PROVENANCE.md` says where they are from."""

from zsh_jax.data.semantics.minilm.table import minilm_vectors

__all__ = ["minilm_vectors"]
