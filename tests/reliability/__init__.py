"""What is promised, in numbers: `python -m tests.reliability`, or `make reliability`."""
