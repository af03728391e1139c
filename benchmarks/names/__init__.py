"""Invented names, written as different documents would: what the sound skeleton is judged on.

One file for each family of scripts makes names from sounds and spells them under the standards'
transliteration tables and the public customs of each language. ``python -m benchmarks.names``.
"""
