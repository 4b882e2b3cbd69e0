"""Methods, one a file, behind the protocol of `zsh_jax.methods.protocol`; `zsh_jax.methods.table` lists them."""
