"""The pages, in a real browser, against a scripted API."""
