"""Writing SQL: ``text_buffer`` (what an editor does to a text), ``highlight`` and ``completion`` (what it knows about SQL), ``editor`` (the
widget), ``documents`` (several of them), ``history``.
"""
