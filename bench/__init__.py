"""Benchmarks beside their baselines, in one run. Never shipped."""
