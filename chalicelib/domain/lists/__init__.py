"""The client's digest lists: what is kept of them (model) and when one may be trusted (rules)."""
