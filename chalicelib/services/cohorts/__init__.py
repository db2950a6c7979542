"""Use cases about cohorts: newcomers by the source that brought them."""
