"""The tests, in rooms that mirror the packages. What several rooms need stands beside them, and no test imports from another test.

- ``planner/``, ``operators/``, ``flight_server/``, ``tui/``: unit tests of the package of that name, room by room. ``planner/golden/``
  has a plan for each kind of statement; ``planner/memory_catalog.py`` tables without files; ``flight_server/fake_service.py`` a service
  behind the real Flight face; ``tui/inline.py`` and ``tui/terminal.py`` the program without threads, and on a real terminal.
- ``e2e/``: the real command, as processes. ``running_server.py`` starts it, ``served_lake.py`` has the data and DuckDB over the same
  files, ``answers.py`` and ``refusals.py`` say what is right, ``waiting.py`` waits for other processes, ``held_files.py`` has a scan
  stand still where a test wants it, ``wire.py`` is a connection that tells what went through, and can break.
- ``clients/``: programs in other languages against a server.
- ``s3_server.py``, ``lakes.py``, ``faulty_proxy.py``: an S3 server for the whole run, lakes on each kind of storage, and a proxy that
  misbehaves by seed.

Warnings are errors. Time is passed in, or held: a test that needs somebody to be in the middle of something makes sure that he is.
"""
