"""Running: ``fragments`` (a kernel program over its inputs), ``whole_inputs`` (those that every share sees whole), ``producer`` (an
instance: lease a share, run, commit, acknowledge), ``gathering`` (the outputs of all shares, each once).
"""
