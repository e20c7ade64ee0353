"""Writing SQL: ``text_buffer`` (what an editor does to a text), ``highlight``, ``lines`` (how they look), ``completion`` and its
``suggestions`` (what it knows about SQL), ``editor`` (the widget), ``documents`` (several of them), ``text_files`` (what they come from),
``saved_tabs`` (them at the next start), ``history``.
"""
