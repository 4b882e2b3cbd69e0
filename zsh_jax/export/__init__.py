"""Codes and hash functions for programs of others: plain files, and an index that FAISS searches."""
