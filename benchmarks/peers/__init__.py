"""Sojourn beside its peers, on the same files in one run: ``make bench-linkage``.

``clean``, ``with_splink``, ``with_recordlinkage`` and ``with_anonlink`` run in the peers' own
environment (``.venv-peers``) and import nothing of Sojourn; the rest runs in Sojourn's.
"""
