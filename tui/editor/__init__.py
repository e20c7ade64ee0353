"""Writing SQL: ``text_buffer`` (what an editor does to a text), ``highlight``, ``completion`` and its ``suggestions`` (what it knows about
SQL), ``editor`` (the widget), ``documents`` (several of them), ``saved_tabs`` (them at the next start), ``history``.
"""
