"""Search codes with Qdrant: `pip install -e '.[qdrant]'`."""

import jax
import numpy as np
from qdrant_client import QdrantClient

import zsh_jax as zsh
from zsh_jax.export.codes import codes_of
from zsh_jax.export.qdrant_points import bit_vectors, fill_qdrant

features = np.random.default_rng(0).normal(size=(1000, 64)).astype("float32")  # yours
model = zsh.fit(jax.random.key(0), features, np.eye(2), np.arange(1000) % 2, bits=32, method="lsh")
codes = codes_of(model, features)
client = QdrantClient(":memory:")  # or QdrantClient("http://localhost:6333")
fill_qdrant(client, "images", codes, bits=32)
for query in bit_vectors(codes[:3], bits=32):
    found = client.query_points("images", query=query.tolist(), limit=5).points
    print([(point.id, point.score) for point in found])
