"""One module, one contestant (or one kind): what a child process runs. See `bench.lists`."""
