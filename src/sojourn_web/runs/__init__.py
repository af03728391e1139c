"""How feeds run: batches, rejects, tokens, and the door through which files come in."""
