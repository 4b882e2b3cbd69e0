"""Data: images, labels, features and semantics, and the zero-shot split of them."""
