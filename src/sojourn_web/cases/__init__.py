"""Voluntary return. Not built yet: an issue of its own.

The room stands so that the contracts hold from the first day: it can reach neither the encoder,
nor linking, nor the ledger, nor the pipeline, nor the figures.
"""
