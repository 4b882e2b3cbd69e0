"""Search codes with FAISS: `pip install -e '.[faiss]'`."""

import jax
import numpy as np

import zsh_jax as zsh
from zsh_jax.export.codes import codes_of
from zsh_jax.export.faiss_index import build_index

features = np.random.default_rng(0).normal(size=(1000, 64)).astype("float32")  # yours
model = zsh.fit(jax.random.key(0), features, np.eye(2), np.arange(1000) % 2, bits=32, method="lsh")
codes = codes_of(model, features)
index = build_index(codes, kind="flat")
distances, rows = index.search(codes[:3], 5)
print(rows, distances)
