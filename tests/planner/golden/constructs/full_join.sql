-- # both in ranges of keys that ON sets equal
SELECT o_key, l_price FROM orders FULL JOIN lines ON l_order = o_key;
--   result: o_key BIGINT, l_price DOUBLE
--     fragment 0 (parallel, orders and lines by ranges of o_key = l_order, in 6 shares): SELECT o_key, l_price FROM in_0 AS "orders" FULL JOIN in_1 AS "lines" ON l_order = o_key
--       in_0: scan orders: 1 of 5 columns (o_key), 1 of 1 files, 8 of 8 row groups, 6 splits
--       in_1: scan lines: 2 of 5 columns (l_order, l_price), 1 of 1 files, 16 of 16 row groups, 6 splits
--   divided: orders and lines by ranges of o_key = l_order: about 628 kB less for the busiest worker than for one worker alone
--     not orders split by split: the rows of the full join's other side would come from each share again
--     not lines split by split: the rows of the full join's other side would come from each share again
--     not orders and lines by hash of o_key = l_order: the tables lie in ranges of the key, and need no exchange
--     not lines by hash of l_order: the tables lie in ranges of the key, and need no exchange

-- # not written in the order of the key
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
