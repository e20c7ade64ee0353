"""What the screen is made of, one widget each: ``run_panel`` with ``results_table``, ``plan_pane`` and ``chart_pane``; ``queries_pane``,
``cluster_pane``, ``catalog_pane``, ``peek_pane``; ``row_list``, on which the lists are built. ``views`` shows one of them, or two with a
``split``, and tables beside the editor (``editor_with_tables``).
"""
