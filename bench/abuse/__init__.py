"""What strangers can do to the public routes, measured: `make abuse`."""
