"""Methods: one file each, all behind the protocol of `zsh_jax.methods.protocol`, listed in `zsh_jax.methods.table`."""
