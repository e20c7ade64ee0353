-- # with LIMIT: the first rows of each share
SELECT l_order, l_price FROM lines ORDER BY l_price DESC, l_order LIMIT 10;
--   result: l_order BIGINT, l_price DOUBLE
--     fragment 1 (once): SELECT in_i0 AS "l_order", in_i1 AS "l_price" FROM in_x0 ORDER BY in_i1 DESC, in_i0 LIMIT 10
--       in_x0: exchange 0 (gather, about 20 kB) in_i0, in_i1
--         fragment 0 (parallel, lines split by split, in 6 shares): SELECT l_order AS "in_i0", l_price AS "in_i1" FROM in_0 AS "lines" ORDER BY in_i1 DESC, in_i0 LIMIT 10
--           in_0: scan lines: 2 of 5 columns (l_order, l_price), 1 of 1 files, 16 of 16 row groups, 6 splits
--   divided: lines split by split: about 12 kB less for the busiest worker than for one worker alone

-- # alone
SELECT l_order, l_price FROM lines ORDER BY l_price DESC, l_order;
--   result: l_order BIGINT, l_price DOUBLE
--     fragment 0 (once): SELECT l_order, l_price FROM in_0 AS "lines" ORDER BY l_price DESC, l_order
--       in_0: scan lines: 2 of 5 columns (l_order, l_price), 1 of 1 files, 16 of 16 row groups, 1 splits
--   not divided: no division spares the busiest worker anything
--     runner-up lines split by split: about 480 kB more for the busiest worker
