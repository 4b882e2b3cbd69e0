"""Search codes with Milvus: `pip install -e '.[milvus]'`; locally `pip install 'milvus-lite<3' 'setuptools<82'`."""

import jax
import numpy as np
from pymilvus import MilvusClient

import zsh_jax as zsh
from zsh_jax.export.codes import codes_of
from zsh_jax.export.milvus_collection import fill_milvus, vectors_of

features = np.random.default_rng(0).normal(size=(1000, 64)).astype("float32")  # yours
model = zsh.fit(jax.random.key(0), features, np.eye(2), np.arange(1000) % 2, bits=32, method="lsh")
codes = codes_of(model, features)
client = MilvusClient("codes.db")  # or MilvusClient("http://localhost:19530")
fill_milvus(client, "images", codes)
for found in client.search("images", vectors_of(codes[:3]), limit=5):
    print([(hit["id"], hit["distance"]) for hit in found])
client.close()
