"""Reports: what they say, and that their files need nothing else."""
