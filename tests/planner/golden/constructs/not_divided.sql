-- # ASOF
SELECT o_key, l_price FROM orders ASOF JOIN lines ON o_key = l_order AND o_day >= l_number;
--   result: o_key BIGINT, l_price DOUBLE
--     fragment 0 (once): SELECT o_key, l_price FROM in_0 AS "orders" ASOF JOIN in_1 AS "lines" ON o_key = l_order AND o_day >= l_number
--       in_0: scan orders: 2 of 5 columns (o_key, o_day), 1 of 1 files, 8 of 8 row groups, 1 splits
--       in_1: scan lines: 3 of 5 columns (l_order, l_number, l_price), 1 of 1 files, 16 of 16 row groups, 1 splits
--   not divided: no way is open
--     not orders split by split: a join of another kind reads the table
--     not lines split by split: a join of another kind reads the table
--     not orders and lines by ranges of o_key = l_order: a join of another kind reads the table
--     not orders and lines by hash of o_key = l_order: a join of another kind reads the table
--     and 1 way more, which EXPLAIN (FORMAT JSON) tells

-- # POSITIONAL
SELECT o_key, l_price FROM orders POSITIONAL JOIN lines;
--   result: o_key BIGINT, l_price DOUBLE
--     fragment 0 (once): SELECT o_key, l_price FROM in_0 AS "orders" POSITIONAL JOIN in_1 AS "lines"
--       in_0: scan orders: 1 of 5 columns (o_key), 1 of 1 files, 8 of 8 row groups, 1 splits
--       in_1: scan lines: 1 of 5 columns (l_price), 1 of 1 files, 16 of 16 row groups, 1 splits
--   not divided: no way is open
--     not orders split by split: a join of another kind reads the table
--     not lines split by split: a join of another kind reads the table

-- # PIVOT
PIVOT orders ON o_state IN ('open', 'shipped') USING sum(o_price) GROUP BY o_day;
--   result: o_day BIGINT, open DOUBLE, shipped DOUBLE
--     fragment 0 (once): SELECT * FROM (PIVOT (SELECT * FROM in_0 AS "orders") ON o_state IN ('open', 'shipped') USING sum(o_price) GROUP BY o_day)
--       in_0: scan orders: 5 of 5 columns (o_key, o_customer, o_day, o_price, o_state), 1 of 1 files, 8 of 8 row groups, 1 splits
--   not divided: no way is open
--     not orders split by split: a PIVOT or the like reads the table
--     not orders by hash of o_day: a PIVOT or the like reads the table

-- # samples
SELECT sum(l_price) FROM lines TABLESAMPLE 10 PERCENT (bernoulli, 7);
--   result: sum(l_price) DOUBLE
--     fragment 0 (once): SELECT sum(l_price) FROM in_0 AS "lines" TABLESAMPLE BERNOULLI (10 PERCENT) REPEATABLE (7)
--       in_0: scan lines: 1 of 5 columns (l_price), 1 of 1 files, 16 of 16 row groups, 1 splits

-- # recursive
WITH RECURSIVE walk AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM walk, lines WHERE l_order = n AND n < 5) SELECT * FROM walk;
--   result: n INTEGER
--     fragment 0 (once): WITH RECURSIVE walk AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM walk, in_0 AS "lines" WHERE l_order = n AND n < 5) SELECT * FROM walk
--       in_0: scan lines: 1 of 5 columns (l_order), 1 of 1 files, 16 of 16 row groups, 1 splits
--   not divided: no way is open
--     not lines split by split: a recursive query reads the table

-- # the clock
SELECT count(*) FROM orders WHERE o_day < epoch(now());
--   result: count_star() BIGINT
--     fragment 0 (once): SELECT count(*) FROM in_0 AS "orders" WHERE o_day < epoch(now())
--       in_0: scan orders: 1 of 5 columns (o_day), 1 of 1 files, 8 of 8 row groups, 1 splits
--   not divided: no way is open
--     not orders split by split: now may be another in each share

-- # random()
SELECT l_order FROM lines WHERE random() < 0.1;
--   result: l_order BIGINT
--     fragment 0 (once): SELECT l_order FROM in_0 AS "lines" WHERE random() < 0.1
--       in_0: scan lines: 1 of 5 columns (l_order), 1 of 1 files, 16 of 16 row groups, 1 splits
--   not divided: no way is open
--     not lines split by split: random may be another in each share

-- # a LIMIT inside: it runs once, for all shares
SELECT sum(o_price) FROM orders, (SELECT c_key FROM customers LIMIT 10) WHERE o_customer = c_key;
--   result: sum(o_price) DOUBLE
--     fragment 2 (once): SELECT finalize(combine_aggr(to_aggregate_state("in_a0", 'sum', ['DOUBLE']))) AS "sum(o_price)" FROM in_x1
--       in_x1: exchange 1 (gather, next to nothing) in_a0
--         fragment 1 (parallel, orders split by split, in 3 shares): SELECT sum(o_price) EXPORT_STATE AS "in_a0" FROM in_0 AS "orders", (SELECT "c_key" FROM in_x0) WHERE o_customer = c_key
--           in_0: scan orders: 2 of 5 columns (o_customer, o_price), 1 of 1 files, 8 of 8 row groups, 3 splits
--           in_x0: exchange 0 (broadcast) c_key
--             fragment 0 (once): SELECT c_key FROM in_1 AS "customers" LIMIT 10
--               in_1: scan customers: 1 of 3 columns (c_key), 1 of 1 files, 3 of 3 row groups, 1 splits
--   divided: orders split by split: about 126 kB less for the busiest worker than for one worker alone
--     not customers split by split: a LIMIT ends the scan early
--     not orders and customers by ranges of o_customer = c_key: a LIMIT ends the scan early
--     not orders and customers by hash of o_customer = c_key: a LIMIT ends the scan early
--     not orders by hash of o_customer: its rows may lie anywhere, and need not be brought together
