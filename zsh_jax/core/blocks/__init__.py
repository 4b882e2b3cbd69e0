"""Training on samples that are read in blocks: memory for one block of RBF features, not for all.

Each pass computes the RBF features of each block again, from features that stay where they are, such as in a
memory-mapped file. Between blocks the steps need sums over samples alone: Phi'B, B'B and B'Y.
"""
