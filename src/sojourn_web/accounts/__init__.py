"""People who work here: sign-in, roles, and what a demo may never be mistaken for."""
