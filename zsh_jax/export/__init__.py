"""Export codes and hash functions to files and to the programs that search or run them: docs/export.md."""
