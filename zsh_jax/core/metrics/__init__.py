"""Retrieval metrics: histograms of Hamming distance, and what follows from them."""
