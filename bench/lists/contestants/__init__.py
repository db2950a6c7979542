"""What the child processes run: one command for each contestant. See `bench.lists`."""
