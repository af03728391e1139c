"""The Django shell around the library: pages, sign-in, feeds. It holds no rules of its own."""
