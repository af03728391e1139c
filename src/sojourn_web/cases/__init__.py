"""Voluntary return: the whole case, led by the person. Its own database and its own keys.

In: what people tell about themselves and what counsellors do for them. Out: pages, and coarse
monthly counts. It can reach neither the encoder, nor linking, nor the ledger, nor the pipeline,
nor the figures: nothing here becomes a match key, and nothing there is looked up for a case.
"""
