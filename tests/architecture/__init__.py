"""Rules about the code itself. The layers are import-linter's, in pyproject.toml."""
