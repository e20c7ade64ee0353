-- # many groups are put together share by share
SELECT l_part, l_order, sum(l_price) FROM lines GROUP BY l_part, l_order;
--   result: l_part BIGINT, l_order BIGINT, sum(l_price) DOUBLE
--     fragment 1 (parallel, answers by hash of l_part, l_order, in shares of buckets, made as it runs): SELECT in_k0 AS "l_part", in_k1 AS "l_order", finalize(combine_aggr(to_aggregate_state("in_a2", 'sum', ['DOUBLE']))) AS "sum(l_price)" FROM in_x0 GROUP BY in_k0, in_k1
--       in_x0: exchange 0 (hash of l_part, l_order, 192 buckets, about 404 kB) in_k0, in_k1, in_a2
--         fragment 0 (parallel, lines split by split, in 6 shares): SELECT "in_k0", "in_k1", "in_a2", ((hash(in_k0, in_k1) >> 32) % 192)::USMALLINT AS "in_b" FROM (SELECT l_part AS "in_k0", l_order AS "in_k1", sum(l_price) EXPORT_STATE AS "in_a2" FROM in_0 AS "lines" GROUP BY ALL) AS "in_p"
--           in_0: scan lines: 3 of 5 columns (l_order, l_part, l_price), 1 of 1 files, 16 of 16 row groups, 6 splits
--   divided: lines split by split: about 799 kB less for the busiest worker than for one worker alone
--     runner-up lines by hash of l_order: about 154 kB less for the busiest worker
--     or lines by hash of l_part: about 154 kB less for the busiest worker

-- # the first rows of each share, then of all
SELECT l_part, l_order, sum(l_price) AS s FROM lines GROUP BY l_part, l_order ORDER BY s DESC LIMIT 5;
--   result: l_part BIGINT, l_order BIGINT, s DOUBLE
--     fragment 2 (once): SELECT in_i0 AS "l_part", in_i1 AS "l_order", in_i2 AS s FROM in_x1 ORDER BY s DESC LIMIT 5
--       in_x1: exchange 1 (gather) in_i0, in_i1, in_i2
--         fragment 1 (parallel, answers by hash of l_part, l_order, in shares of buckets, made as it runs): SELECT in_k0 AS "in_i0", in_k1 AS "in_i1", finalize(combine_aggr(to_aggregate_state("in_a2", 'sum', ['DOUBLE']))) AS "in_i2" FROM in_x0 GROUP BY in_k0, in_k1 ORDER BY in_i2 DESC LIMIT 5
--           in_x0: exchange 0 (hash of l_part, l_order, 192 buckets, about 404 kB) in_k0, in_k1, in_a2
--             fragment 0 (parallel, lines split by split, in 6 shares): SELECT "in_k0", "in_k1", "in_a2", ((hash(in_k0, in_k1) >> 32) % 192)::USMALLINT AS "in_b" FROM (SELECT l_part AS "in_k0", l_order AS "in_k1", sum(l_price) EXPORT_STATE AS "in_a2" FROM in_0 AS "lines" GROUP BY ALL) AS "in_p"
--               in_0: scan lines: 3 of 5 columns (l_order, l_part, l_price), 1 of 1 files, 16 of 16 row groups, 6 splits
--   divided: lines split by split: about 799 kB less for the busiest worker than for one worker alone
--     runner-up lines by hash of l_order: about 135 kB less for the busiest worker
--     or lines by hash of l_part: about 135 kB less for the busiest worker

-- # a large result is sorted by ranges of its first key
SELECT l_part, l_price FROM lines ORDER BY l_part DESC, l_price;
--   result: l_part BIGINT, l_price DOUBLE
--     fragment 1 (parallel, answers by ranges of l_part, in shares of buckets, made as it runs): SELECT in_i0 AS "l_part", in_i1 AS "l_price" FROM in_x0 ORDER BY in_i0 DESC, in_i1
--       in_x0: exchange 0 (ranges of l_part, 49 buckets, about 1.0 MB) in_i0, in_i1
--         fragment 0 (parallel, lines split by split, in 6 shares): SELECT "in_i0", "in_i1", (CASE WHEN "in_i0" IS NULL THEN 0 ELSE CASE WHEN "in_i0" < 400 THEN CASE WHEN "in_i0" < 200 THEN CASE WHEN "in_i0" < 100 THEN CASE WHEN "in_i0" < 50 THEN CASE WHEN "in_i0" < 33 THEN CASE WHEN "in_i0" < 17 THEN 48 ELSE 47 END ELSE 46 END ELSE CASE WHEN "in_i0" < 83 THEN CASE WHEN "in_i0" < 67 THEN 45 ELSE 44 END ELSE 43 END END ELSE CASE WHEN "in_i0" < 150 THEN CASE WHEN "in_i0" < 133 THEN CASE WHEN "in_i0" < 117 THEN 42 ELSE 41 END ELSE 40 END ELSE CASE WHEN "in_i0" < 183 THEN CASE WHEN "in_i0" < 167 THEN 39 ELSE 38 END ELSE 37 END END END ELSE CASE WHEN "in_i0" < 300 THEN CASE WHEN "in_i0" < 250 THEN CASE WHEN "in_i0" < 233 THEN CASE WHEN "in_i0" < 217 THEN 36 ELSE 35 END ELSE 34 END ELSE CASE WHEN "in_i0" < 283 THEN CASE WHEN "in_i0" < 267 THEN 33 ELSE 32 END ELSE 31 END END ELSE CASE WHEN "in_i0" < 350 THEN CASE WHEN "in_i0" < 333 THEN CASE WHEN "in_i0" < 317 THEN 30 ELSE 29 END ELSE 28 END ELSE CASE WHEN "in_i0" < 383 THEN CASE WHEN "in_i0" < 367 THEN 27 ELSE 26 END ELSE 25 END END END END ELSE CASE WHEN "in_i0" < 600 THEN CASE WHEN "in_i0" < 500 THEN CASE WHEN "in_i0" < 450 THEN CASE WHEN "in_i0" < 433 THEN CASE WHEN "in_i0" < 417 THEN 24 ELSE 23 END ELSE 22 END ELSE CASE WHEN "in_i0" < 483 THEN CASE WHEN "in_i0" < 467 THEN 21 ELSE 20 END ELSE 19 END END ELSE CASE WHEN "in_i0" < 550 THEN CASE WHEN "in_i0" < 533 THEN CASE WHEN "in_i0" < 517 THEN 18 ELSE 17 END ELSE 16 END ELSE CASE WHEN "in_i0" < 583 THEN CASE WHEN "in_i0" < 567 THEN 15 ELSE 14 END ELSE 13 END END END ELSE CASE WHEN "in_i0" < 700 THEN CASE WHEN "in_i0" < 650 THEN CASE WHEN "in_i0" < 633 THEN CASE WHEN "in_i0" < 617 THEN 12 ELSE 11 END ELSE 10 END ELSE CASE WHEN "in_i0" < 683 THEN CASE WHEN "in_i0" < 667 THEN 9 ELSE 8 END ELSE 7 END END ELSE CASE WHEN "in_i0" < 750 THEN CASE WHEN "in_i0" < 733 THEN CASE WHEN "in_i0" < 717 THEN 6 ELSE 5 END ELSE 4 END ELSE CASE WHEN "in_i0" < 783 THEN CASE WHEN "in_i0" < 767 THEN 3 ELSE 2 END ELSE 1 END END END END END END)::USMALLINT AS " …
--           in_0: scan lines: 2 of 5 columns (l_part, l_price), 1 of 1 files, 16 of 16 row groups, 6 splits
--   divided: lines split by split: about 800 kB less for the busiest worker than for one worker alone

-- # groups, then sorted by ranges
SELECT l_part, l_order, sum(l_price) FROM lines GROUP BY l_part, l_order ORDER BY l_order, l_part;
--   result: l_part BIGINT, l_order BIGINT, sum(l_price) DOUBLE
--     fragment 2 (parallel, answers by ranges of l_order, in shares of buckets, made as it runs): SELECT in_i0 AS "l_part", in_i1 AS "l_order", in_i2 AS "sum(l_price)" FROM in_x1 ORDER BY in_i1, in_i0
--       in_x1: exchange 1 (ranges of l_order, 49 buckets) in_i0, in_i1, in_i2
--         fragment 1 (parallel, answers by hash of l_part, l_order, in shares of buckets, made as it runs): SELECT "in_i0", "in_i1", "in_i2", (CASE WHEN "in_i1" IS NULL THEN 48 ELSE CASE WHEN "in_i1" < 2000 THEN CASE WHEN "in_i1" < 1000 THEN CASE WHEN "in_i1" < 500 THEN CASE WHEN "in_i1" < 250 THEN CASE WHEN "in_i1" < 167 THEN CASE WHEN "in_i1" < 83 THEN 0 ELSE 1 END ELSE 2 END ELSE CASE WHEN "in_i1" < 417 THEN CASE WHEN "in_i1" < 333 THEN 3 ELSE 4 END ELSE 5 END END ELSE CASE WHEN "in_i1" < 750 THEN CASE WHEN "in_i1" < 667 THEN CASE WHEN "in_i1" < 583 THEN 6 ELSE 7 END ELSE 8 END ELSE CASE WHEN "in_i1" < 917 THEN CASE WHEN "in_i1" < 833 THEN 9 ELSE 10 END ELSE 11 END END END ELSE CASE WHEN "in_i1" < 1500 THEN CASE WHEN "in_i1" < 1250 THEN CASE WHEN "in_i1" < 1167 THEN CASE WHEN "in_i1" < 1083 THEN 12 ELSE 13 END ELSE 14 END ELSE CASE WHEN "in_i1" < 1417 THEN CASE WHEN "in_i1" < 1333 THEN 15 ELSE 16 END ELSE 17 END END ELSE CASE WHEN "in_i1" < 1750 THEN CASE WHEN "in_i1" < 1667 THEN CASE WHEN "in_i1" < 1583 THEN 18 ELSE 19 END ELSE 20 END ELSE CASE WHEN "in_i1" < 1917 THEN CASE WHEN "in_i1" < 1833 THEN 21 ELSE 22 END ELSE 23 END END END END ELSE CASE WHEN "in_i1" < 3000 THEN CASE WHEN "in_i1" < 2500 THEN CASE WHEN "in_i1" < 2250 THEN CASE WHEN "in_i1" < 2167 THEN CASE WHEN "in_i1" < 2083 THEN 24 ELSE 25 END ELSE 26 END ELSE CASE WHEN "in_i1" < 2417 THEN CASE WHEN "in_i1" < 2333 THEN 27 ELSE 28 END ELSE 29 END END ELSE CASE WHEN "in_i1" < 2750 THEN CASE WHEN "in_i1" < 2667 THEN CASE WHEN "in_i1" < 2583 THEN 30 ELSE 31 END ELSE 32 END ELSE CASE WHEN "in_i1" < 2917 THEN CASE WHEN "in_i1" < 2833 THEN 33 ELSE 34 END ELSE 35 END END END ELSE CASE WHEN "in_i1" < 3500 THEN CASE WHEN "in_i1" < 3250 THEN CASE WHEN "in_i1" < 3167 THEN CASE WHEN "in_i1" < 3083 THEN 36 ELSE 37 END ELSE 38 END ELSE CASE WHEN "in_i1" < 3417 THEN CASE WHEN "in_i1" < 3333 THEN 39 ELSE 40 END ELSE 41 END END ELSE CASE WHEN "in_i1" < 3750 THEN CASE WHEN "in_i1" < 3667 THEN CASE WHEN "in_i1" < 3583 THEN 42 ELSE 43 END ELSE 44 END ELSE CASE WHEN "in_i1" < 3917 THEN CASE WHEN "in_i1" < 3833 THEN 45 ELSE 46 END …
--           in_x0: exchange 0 (hash of l_part, l_order, 192 buckets, about 404 kB) in_k0, in_k1, in_a2
--             fragment 0 (parallel, lines split by split, in 6 shares): SELECT "in_k0", "in_k1", "in_a2", ((hash(in_k0, in_k1) >> 32) % 192)::USMALLINT AS "in_b" FROM (SELECT l_part AS "in_k0", l_order AS "in_k1", sum(l_price) EXPORT_STATE AS "in_a2" FROM in_0 AS "lines" GROUP BY ALL) AS "in_p"
--               in_0: scan lines: 3 of 5 columns (l_order, l_part, l_price), 1 of 1 files, 16 of 16 row groups, 6 splits
--   divided: lines split by split: about 799 kB less for the busiest worker than for one worker alone
--     runner-up lines by hash of l_order: about 384 kB less for the busiest worker
--     or lines by hash of l_part: about 384 kB less for the busiest worker
