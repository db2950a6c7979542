"""Benchmarks compared with their baselines, in one run. Never shipped."""
