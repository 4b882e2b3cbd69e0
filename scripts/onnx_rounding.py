"""Count the bits that onnxruntime and `encode` compute differently: `python scripts/onnx_rounding.py`.

Drawn features in single precision, 20,000 samples of 256 values in 20 classes, 64 bits, 500 anchors.
"""

import jax
import numpy as np
import onnxruntime

import zsh_jax as zsh
from zsh_jax.export.codes import codes_of
from zsh_jax.export.onnx_graph import onnx_model

METHODS = ("zsh", "itq", "joint", "orthohash")
SAMPLES, TRAINING, VALUES, CLASSES, BITS = 20_000, 4_000, 256, 20, 64


def main() -> None:
    """Train on the first samples, encode all of them in both ways, and print a line for each method."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, SAMPLES)
    features = rng.normal(size=(CLASSES, VALUES))[labels] + rng.normal(size=(SAMPLES, VALUES))
    features, vectors = features.astype(np.float32), rng.normal(size=(CLASSES, 30))
    for method in METHODS:
        taught = features[:TRAINING], vectors, labels[:TRAINING]
        model = zsh.fit(jax.random.key(0), *taught, bits=BITS, method=method, anchors=500)
        session = onnxruntime.InferenceSession(onnx_model(model).SerializeToString())
        (codes,) = session.run(["codes"], {"features": features})
        differ = np.unpackbits(codes ^ codes_of(model, features), axis=1)[:, :BITS] > 0
        projected = np.abs(np.asarray(zsh.project(model, features)))
        largest = projected[differ].max(initial=0)
        print(
            f"{method}: {differ.sum()} of {differ.size:,} bits differ, with projections up to {largest:.1e}; "
            f"the mean of all is {projected.mean():.2g}",
            flush=True,
        )


if __name__ == "__main__":
    main()
