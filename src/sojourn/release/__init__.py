"""The gate through which figures leave. Not built yet: nothing is released, so nothing leaves.

The room stands so that the contracts hold from the first day.
"""
