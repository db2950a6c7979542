"""The client's exchange: how fast voucher codes are made, and what the calls of a till cost."""
