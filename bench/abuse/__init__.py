"""What strangers and cheats can do, measured: `make abuse`."""
