"""The HTTP API through Chalice's own dispatcher, with AWS as moto has it, in this process."""
