"""Running: ``fragments`` (a kernel program over its inputs), ``producer`` (an instance: lease a split, run, commit, acknowledge),
``gathering`` (the outputs of all splits, each once).
"""
