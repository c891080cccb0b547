"""A slow and plain verifier of webhooks, written from the specifications alone, to compare the fast one with."""
