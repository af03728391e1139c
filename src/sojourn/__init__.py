"""Sojourn: stays, departures, and how sure we are. A pure library: tables in, tables out."""
