"""The page scripts without a browser: unit tests, texts, and the types of the API."""
