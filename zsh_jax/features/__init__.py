"""Image features: computed from pixels, or read from files."""
