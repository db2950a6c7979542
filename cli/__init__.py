"""The `tandem` command, for clients, marketing and ops. Never shipped to Lambda."""
