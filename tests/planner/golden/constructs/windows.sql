-- # by the key of the division
SELECT l_order, rank() OVER (PARTITION BY l_order ORDER BY l_price) FROM lines JOIN orders ON l_order = o_key;
--   result: l_order BIGINT, rank() OVER (PARTITION BY l_order ORDER BY l_price) BIGINT
--     fragment 0 (parallel, lines and orders by ranges of l_order = o_key, in 6 shares): SELECT l_order, rank() OVER (PARTITION BY l_order ORDER BY l_price) FROM in_0 AS "lines" JOIN in_1 AS "orders" ON l_order = o_key
--       in_0: scan lines: 2 of 5 columns (l_order, l_price), 1 of 1 files, 16 of 16 row groups, 6 splits
--       in_1: scan orders: 1 of 5 columns (o_key), 1 of 1 files, 8 of 8 row groups, 6 splits
--   divided: lines and orders by ranges of l_order = o_key: about 628 kB less for the busiest worker than for one worker alone
--     not lines split by split: how many rows its joins make, which one worker would have to hold, is not known
--     not orders split by split: how many rows its joins make, which one worker would have to hold, is not known
--     not lines and orders by hash of l_order = o_key: the tables lie in ranges of the key, and need no exchange
--     not lines by hash of l_order: the tables lie in ranges of the key, and need no exchange

-- # by another column
SELECT l_part, rank() OVER (PARTITION BY l_part ORDER BY l_price) FROM lines;
--   result: l_part BIGINT, rank() OVER (PARTITION BY l_part ORDER BY l_price) BIGINT
--     fragment 1 (parallel, lines by hash of l_part, in shares of buckets, made as it runs): SELECT l_part, rank() OVER (PARTITION BY l_part ORDER BY l_price) FROM in_0 AS "lines"
--       in_0: exchange 0 (hash of l_part, 192 buckets, about 1.0 MB) l_part, l_price
--         fragment 0 (parallel, lines split by split, in 6 shares): SELECT "l_part", "l_price", ((hash("l_part") >> 32) % 192)::USMALLINT AS in_b FROM in_0
--           in_0: scan lines: 2 of 5 columns (l_part, l_price), 1 of 1 files, 16 of 16 row groups, 6 splits
--   divided: lines by hash of l_part: about 102 kB less for the busiest worker than for one worker alone
--     runner-up lines split by split: about 480 kB more for the busiest worker

-- # QUALIFY
SELECT l_part, l_price FROM lines QUALIFY row_number() OVER (PARTITION BY l_part ORDER BY l_price DESC, l_order) <= 2;
--   result: l_part BIGINT, l_price DOUBLE
--     fragment 1 (parallel, lines by hash of l_part, in shares of buckets, made as it runs): SELECT l_part, l_price FROM in_0 AS "lines" QUALIFY row_number() OVER (PARTITION BY l_part ORDER BY l_price DESC, l_order) <= 2
--       in_0: exchange 0 (hash of l_part, 192 buckets, about 1.5 MB) l_order, l_part, l_price
--         fragment 0 (parallel, lines split by split, in 6 shares): SELECT "l_order", "l_part", "l_price", ((hash("l_part") >> 32) % 192)::USMALLINT AS in_b FROM in_0
--           in_0: scan lines: 3 of 5 columns (l_order, l_part, l_price), 1 of 1 files, 16 of 16 row groups, 6 splits
--   divided: lines by hash of l_part: about 154 kB less for the busiest worker than for one worker alone
--     runner-up lines split by split: about 720 kB more for the busiest worker
