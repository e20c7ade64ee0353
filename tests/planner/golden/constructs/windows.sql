-- # by the key of the division
SELECT l_order, rank() OVER (PARTITION BY l_order ORDER BY l_price) FROM lines JOIN orders ON l_order = o_key;
--   result: l_order BIGINT, rank() OVER (PARTITION BY l_order ORDER BY l_price) BIGINT
--     fragment 0 (parallel, lines and orders by ranges of l_order = o_key, in 6 shares): SELECT l_order, rank() OVER (PARTITION BY l_order ORDER BY l_price) FROM in_0 AS "lines" JOIN in_1 AS "orders" ON l_order = o_key
--       in_0: scan lines: 2 of 5 columns (l_order, l_price), 1 of 1 files, 16 of 16 row groups, 6 splits
--       in_1: scan orders: 1 of 5 columns (o_key), 1 of 1 files, 8 of 8 row groups, 6 splits
--   divided: lines and orders by ranges of l_order = o_key: about 616 kB less for the busiest worker than for one worker alone
--     not lines split by split: how many rows its joins make, which one worker would have to hold, is not known
--     not orders split by split: how many rows its joins make, which one worker would have to hold, is not known

-- # by another column
SELECT l_part, rank() OVER (PARTITION BY l_part ORDER BY l_price) FROM lines;
--   result: l_part BIGINT, rank() OVER (PARTITION BY l_part ORDER BY l_price) BIGINT
--     fragment 0 (once): SELECT l_part, rank() OVER (PARTITION BY l_part ORDER BY l_price) FROM in_0 AS "lines"
--       in_0: scan lines: 2 of 5 columns (l_part, l_price), 1 of 1 files, 16 of 16 row groups, 1 splits
--   not divided: no division spares the busiest worker anything
--     runner-up lines split by split: about 480 kB more for the busiest worker

-- # QUALIFY
SELECT l_part, l_price FROM lines QUALIFY row_number() OVER (PARTITION BY l_part ORDER BY l_price DESC, l_order) <= 2;
--   result: l_part BIGINT, l_price DOUBLE
--     fragment 0 (once): SELECT l_part, l_price FROM in_0 AS "lines" QUALIFY row_number() OVER (PARTITION BY l_part ORDER BY l_price DESC, l_order) <= 2
--       in_0: scan lines: 3 of 5 columns (l_order, l_part, l_price), 1 of 1 files, 16 of 16 row groups, 1 splits
--   not divided: no division spares the busiest worker anything
--     runner-up lines split by split: about 720 kB more for the busiest worker
