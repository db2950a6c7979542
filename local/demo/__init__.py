"""The demo campaign as a client would bring it: file, key, lists, orders. See README.md."""
