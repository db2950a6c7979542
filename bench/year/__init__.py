"""A year of exchange with the client by a virtual clock, and what must agree each month."""
