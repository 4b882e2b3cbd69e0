"""Retrieval metrics, from histograms of Hamming distances."""
