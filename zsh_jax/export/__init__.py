"""Export codes and hash functions to plain files and to an index that FAISS searches."""
