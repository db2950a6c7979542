"""The real services and adapters on an AWS in memory, one call at a time, in a seeded order."""
