"""Search codes with usearch: `pip install -e '.[usearch]'`."""

import jax
import numpy as np
from usearch.index import Index

import zsh_jax as zsh
from zsh_jax.export.codes import codes_of
from zsh_jax.export.usearch_index import save_usearch

features = np.random.default_rng(0).normal(size=(1000, 64)).astype("float32")  # yours
model = zsh.fit(jax.random.key(0), features, np.eye(2), np.arange(1000) % 2, bits=32, method="lsh")
codes = codes_of(model, features)
save_usearch("codes.usearch", codes)
found = Index.restore("codes.usearch").search(codes[:3], 5, exact=True)
print(found.keys, found.distances)
