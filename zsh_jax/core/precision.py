"""Matrix products in full precision.

By default, accelerators multiply float32 matrices in bfloat16 or TF32. That is too coarse here: a sign decides every
bit, and squared distances are differences of large numbers.
"""

import jax

full_precision = jax.default_matmul_precision("highest")
"""Decorator: every matrix product traced inside the function keeps the precision of its inputs."""
