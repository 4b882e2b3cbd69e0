"""Zero-shot hashing by transferring supervised knowledge, in JAX."""
