"""What a server is told: ``config`` (file, flags and variables → one ``Config``), ``connections`` (its named storage roots), ``quantities``
(sizes and times as people write and read them).
"""
