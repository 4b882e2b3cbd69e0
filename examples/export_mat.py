"""Write codes, labels and class names for MATLAB."""

import jax
import numpy as np
from scipy.io import loadmat

import zsh_jax as zsh
from zsh_jax.export.codes import codes_of
from zsh_jax.export.matlab_file import save_mat

features = np.random.default_rng(0).normal(size=(1000, 64)).astype("float32")  # yours
labels, names = np.arange(1000) % 2, ("cat", "dog")
model = zsh.fit(jax.random.key(0), features, np.eye(2), labels, bits=32, method="lsh")
save_mat("codes.mat", codes_of(model, features), bits=32, labels=labels, class_names=names)
held = loadmat("codes.mat")
print({name: held[name].shape for name in ("B", "L", "class_names")})
