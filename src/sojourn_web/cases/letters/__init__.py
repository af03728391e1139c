"""Letters in two languages: ``wordings`` holds their sentences, ``writing`` puts one together,
``printing`` lays it out as PDF. Nothing here is kept: a letter is made, handed over, gone.
"""
