"""What can be done with a case: plain functions, one transaction each.

Each is given a ``Room`` (keys, clock) and an ``Actor``, asks visibility and permission, asks the
guards, writes the change and its audit row together, and returns a frozen ``Done``. A create
takes an idempotency key: the same key again gives the same row. Raises the errors of
``cases.errors``; whatever is raised, nothing was written.
"""
