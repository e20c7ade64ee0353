"""What people type and the kernel knows but the parser does not: put into other words before parsing, token by token.

=====================================  ======================================================================================
``FROM t WHERE …``                     ``SELECT * FROM t WHERE …``; with a SELECT after the list, the parser knows it
``TABLE t``                            ``SELECT * FROM t``
``SUMMARIZE t``, ``SUMMARIZE query``   ``SELECT mark_summarize FROM (…)``
``PIVOT t ON c USING f GROUP BY g``    ``FROM t SELECT mark_pivot, c, mark_using, f GROUP BY g``
``UNPIVOT t ON c INTO NAME n VALUE v`` ``FROM t SELECT mark_unpivot, c, mark_name, n, mark_value, v``
``… ON COLUMNS(* EXCLUDE (c))``        ``… * EXCLUDE (c)``
``USING SAMPLE 1%``, ``TABLESAMPLE …`` ``TABLESAMPLE method (number unit)`` behind the relation
``ASOF JOIN``, ``POSITIONAL JOIN`` …   ``RIGHT ANTI JOIN``, ``LEFT SEMI JOIN`` …, which the kernel does not have
``LIMIT 10%``, ``a GLOB b``            ``LIMIT 10 COLLATE volley_percent``, ``a RLIKE b``
``(ORDER BY a ROWS … EXCLUDE TIES)``   ``(ORDER BY a, NULL COLLATE volley_exclude_ties ROWS …)``
``a IN [1]``, ``a IN tags``            ``a IN UNNEST([1])``, ``a IN UNNEST(tags)``
``[x for x in l if c]``                ``[volley_for_if(x, x, l, c)]``
``* LIKE 'a%'``                        ``COLUMNS(lambda name: name LIKE 'a%')``
``COLUMNS(* EXCLUDE (a))``             ``COLUMNS(volley_star_without(a))``
``f(*COLUMNS('a'))``                   ``f(UNPACK(COLUMNS('a')))``
``WITH RECURSIVE t(a) USING KEY (a)``  ``WITH RECURSIVE t(a, volley_using_key, a)``
``FROM a: t``                          ``FROM t AS a``
``FILTER (condition)``                 ``FILTER (WHERE condition)``
``SELECT a: x, b: y``                  ``SELECT x AS a, y AS b``
``EXPLAIN (SELECT …)``                 ``EXPLAIN FORMAT TEXT (SELECT …)``
``DESCRIBE TABLE t``, ``DESCRIBE 't'`` ``DESCRIBE t``, ``DESCRIBE SELECT * FROM 't'``
``ABORT``, ``SET SCHEMA 'main'``       ``ROLLBACK``, ``SET SCHEMA TO 'main'``
``t.exists``, ``SELECT top FROM t``    ``t."exists"``, ``SELECT "top" FROM t``
=====================================  ======================================================================================

Marks are names that the statement does not have; the planner tells by them what a SELECT was (:class:`~planner.logical.Reshape`). What
the parser's words stand for is put back where trees are printed: :func:`kernel_spelling`.

``clauses`` walks through a statement and knows where a query, a FROM list and an item begin and end (``levels``). ``reshapes``
(SUMMARIZE, PIVOT …), ``samples``, ``joins``, ``operators``, ``lists``, ``columns``, ``frames``, ``ctes``, ``groups``, ``sessions``
and ``texts`` spell a group of forms each, and ``printed`` puts the kernel's words back. All write into one ``draft``.
"""

from __future__ import annotations

from planner.spellings.clauses import spelled
from planner.spellings.draft import Spelled
from planner.spellings.printed import kernel_spelling
from planner.spellings.reshapes import DESCRIBE, NAME, PIVOT, SUMMARIZE, UNPIVOT, USING, VALUE

__all__ = ["DESCRIBE", "NAME", "PIVOT", "SUMMARIZE", "UNPIVOT", "USING", "VALUE", "Spelled", "kernel_spelling", "spelled"]
