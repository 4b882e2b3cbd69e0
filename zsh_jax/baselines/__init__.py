"""Methods to compare with, one a file: each is `fit(key, data, options, *, bits, ...)`, jitted, pure and vmappable.

`data` is what they all learn from; `hash_functions` is what they return, a linear map of the standardised features
or of the RBF features, and how it encodes. `bounds` judges real-valued vectors, which no code can be.
"""
