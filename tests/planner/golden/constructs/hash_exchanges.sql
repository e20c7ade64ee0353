-- # a join by keys in whose order neither table is written
SELECT a.o_day, count(*) FROM orders a JOIN orders b ON a.o_customer = b.o_customer GROUP BY a.o_day;
--   result: o_day BIGINT, count_star() BIGINT
--     fragment 2 (once): SELECT in_k0 AS "o_day", finalize(combine_aggr(to_aggregate_state("in_a1", 'count', ['BIGINT']))) AS "count_star()" FROM in_x1 GROUP BY in_k0
--       in_x1: exchange 1 (gather, about 8.2 kB) in_k0, in_a1
--         fragment 1 (parallel, orders (a) and orders (b) by hash of o_customer, in shares of buckets, made as it runs): SELECT a.o_day AS "in_k0", count(*) EXPORT_STATE AS "in_a1" FROM in_0 a JOIN in_1 b ON a.o_customer = b.o_customer GROUP BY ALL
--           in_0: exchange 0 (hash of o_customer, 192 buckets, about 256 kB) o_customer, o_day
--             fragment 0 (parallel, orders (b) split by split, in 6 shares): SELECT "o_customer", "o_day", ((hash("o_customer") >> 32) % 192)::USMALLINT AS in_b FROM in_1 WHERE ("o_customer" IS NOT NULL)
--               in_1: scan orders: 2 of 5 columns (o_customer, o_day), 1 of 1 files, 8 of 8 row groups, 6 splits
--           in_1: exchange 0 (hash of o_customer, 192 buckets, about 256 kB) o_customer, o_day, as above
--   divided: orders (a) and orders (b) by hash of o_customer: about 97 kB less for the busiest worker than for one worker alone
--     runner-up orders (a) split by split: about 96 kB less for the busiest worker
--     or orders (a) by hash of o_day: about 6.4 kB less for the busiest worker
--     not orders (a) and orders (b) by ranges of o_customer: they are not written in the order of that key
--     not orders (a) by hash of o_customer: its rows may lie anywhere, and need not be brought together
--     and 1 way more, which EXPLAIN (FORMAT JSON) tells

-- # a correlated subquery: one exchange feeds both
SELECT sum(l_price) FROM lines WHERE l_quantity < (SELECT avg(l_quantity) FROM lines inner_lines WHERE inner_lines.l_part = lines.l_part);
--   result: sum(l_price) DOUBLE
--     fragment 2 (once): SELECT finalize(combine_aggr(to_aggregate_state("in_a0", 'sum', ['DOUBLE']))) AS "sum(l_price)" FROM in_x1
--       in_x1: exchange 1 (gather, next to nothing) in_a0
--         fragment 1 (parallel, lines (lines) and lines (inner_lines) by hash of l_part, in shares of buckets, made as it runs): SELECT sum(l_price) EXPORT_STATE AS "in_a0" FROM in_0 AS "lines" WHERE l_quantity < (SELECT avg(l_quantity) FROM in_1 inner_lines WHERE inner_lines.l_part = lines.l_part)
--           in_0: exchange 0 (hash of l_part, 192 buckets, about 1.5 MB) l_part, l_quantity, l_price
--             fragment 0 (parallel, lines (lines) split by split, in 6 shares): SELECT "l_part", "l_quantity", "l_price", ((hash("l_part") >> 32) % 192)::USMALLINT AS in_b FROM in_0
--               in_0: scan lines: 3 of 5 columns (l_part, l_quantity, l_price), 1 of 1 files, 16 of 16 row groups, 6 splits
--           in_1: exchange 0 (hash of l_part, 192 buckets, about 1.5 MB) l_part, l_quantity, l_price, as above
--   divided: lines (lines) and lines (inner_lines) by hash of l_part: about 768 kB less for the busiest worker than for one worker alone
--     runner-up lines (lines) split by split: about 560 kB less for the busiest worker
--     or lines (lines) and lines (inner_lines) by ranges of l_part: about 640 kB more for the busiest worker
--     not lines (inner_lines) split by split: it is read in a subquery that mentions rows around it
--     not lines (lines) by hash of l_part: its rows may lie anywhere, and need not be brought together

-- # windows by a column that is no key
SELECT l_part, rank() OVER (PARTITION BY l_part ORDER BY l_price) FROM lines;
--   result: l_part BIGINT, rank() OVER (PARTITION BY l_part ORDER BY l_price) BIGINT
--     fragment 1 (parallel, lines by hash of l_part, in shares of buckets, made as it runs): SELECT l_part, rank() OVER (PARTITION BY l_part ORDER BY l_price) FROM in_0 AS "lines"
--       in_0: exchange 0 (hash of l_part, 192 buckets, about 1.0 MB) l_part, l_price
--         fragment 0 (parallel, lines split by split, in 6 shares): SELECT "l_part", "l_price", ((hash("l_part") >> 32) % 192)::USMALLINT AS in_b FROM in_0
--           in_0: scan lines: 2 of 5 columns (l_part, l_price), 1 of 1 files, 16 of 16 row groups, 6 splits
--   divided: lines by hash of l_part: about 102 kB less for the busiest worker than for one worker alone
--     runner-up lines split by split: about 480 kB more for the busiest worker

-- # aggregates without a partial form
SELECT l_part, list(l_price ORDER BY l_order) FROM lines GROUP BY l_part;
--   result: l_part BIGINT, list(l_price ORDER BY l_order) DOUBLE[]
--     fragment 1 (parallel, lines by hash of l_part, in shares of buckets, made as it runs): SELECT l_part, list(l_price ORDER BY l_order) FROM in_0 AS "lines" GROUP BY l_part
--       in_0: exchange 0 (hash of l_part, 192 buckets, about 1.5 MB) l_order, l_part, l_price
--         fragment 0 (parallel, lines split by split, in 6 shares): SELECT "l_order", "l_part", "l_price", ((hash("l_part") >> 32) % 192)::USMALLINT AS in_b FROM in_0
--           in_0: scan lines: 3 of 5 columns (l_order, l_part, l_price), 1 of 1 files, 16 of 16 row groups, 6 splits
--   divided: lines by hash of l_part: about 154 kB less for the busiest worker than for one worker alone
--     runner-up lines split by split: about 720 kB more for the busiest worker

-- # FULL JOIN
SELECT c_name, o_price FROM customers FULL JOIN orders ON o_customer = c_key;
--   result: c_name VARCHAR, o_price DOUBLE
--     fragment 2 (parallel, customers and orders by hash of c_key = o_customer, in shares of buckets, made as it runs): SELECT c_name, o_price FROM in_0 AS "customers" FULL JOIN in_1 AS "orders" ON o_customer = c_key
--       in_0: exchange 1 (hash of c_key, 192 buckets, about 77 kB) c_key, c_name
--         fragment 1 (parallel, customers split by split, in 3 shares): SELECT "c_key", "c_name", ((hash("c_key") >> 32) % 192)::USMALLINT AS in_b FROM in_0
--           in_0: scan customers: 2 of 3 columns (c_key, c_name), 1 of 1 files, 3 of 3 row groups, 3 splits
--       in_1: exchange 0 (hash of o_customer, 192 buckets, about 256 kB) o_customer, o_price
--         fragment 0 (parallel, orders split by split, in 6 shares): SELECT "o_customer", "o_price", ((hash("o_customer") >> 32) % 192)::USMALLINT AS in_b FROM in_1
--           in_1: scan orders: 2 of 5 columns (o_customer, o_price), 1 of 1 files, 8 of 8 row groups, 6 splits
--   divided: customers and orders by hash of c_key = o_customer: about 33 kB less for the busiest worker than for one worker alone
--     not customers split by split: the rows of the full join's other side would come from each share again
--     not orders split by split: the rows of the full join's other side would come from each share again
--     not customers and orders by ranges of c_key = o_customer: they are not written in the order of that key
--     not orders by hash of o_customer: the rows of the full join's other side would come from each share again
