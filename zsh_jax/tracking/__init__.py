"""Tracking: results and models on disk, runs in Weights & Biases."""
