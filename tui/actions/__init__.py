"""What the keys do that is about more than one widget: a class for each context, whose ``table()`` says what each action of it does.

``editor_actions``, ``result_actions`` with ``search``, ``charting`` and ``exporting``, ``query_actions``, ``cluster_actions``,
``catalog_actions``, ``screen_actions`` (everywhere); ``killing``, ``dropping``, ``clipboard`` and ``paths``, which several of them use.
Each gets the collaborators that it names, none the whole program. All live on the thread of the loop.
collaborators that it names, none the whole program. All live on the thread of the loop.
"""
