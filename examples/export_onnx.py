"""Encode with a hash function outside Python: `pip install -e '.[onnx]' onnxruntime`."""

import jax
import numpy as np
import onnxruntime

import zsh_jax as zsh
from zsh_jax.export.codes import codes_of
from zsh_jax.export.onnx_graph import save_onnx

features = np.random.default_rng(0).normal(size=(1000, 64)).astype("float32")  # yours
model = zsh.fit(jax.random.key(0), features, np.eye(2), np.arange(1000) % 2, bits=32, method="lsh")
save_onnx("hash_function.onnx", model)
session = onnxruntime.InferenceSession("hash_function.onnx")
(codes,) = session.run(["codes"], {"features": features})
print(codes.shape, "bits that differ:", np.unpackbits(codes ^ codes_of(model, features)).sum())
