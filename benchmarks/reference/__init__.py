"""The same stages in plain NumPy, written apart from the package, in float64 or float32.

Every function computes in the type of its arrays. Loops are plain, products are BLAS's.
"""
