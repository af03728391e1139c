"""The same steps on one machine or many. Not built yet: the steps run on this one.

The room stands so that the contracts hold from the first day.
"""
