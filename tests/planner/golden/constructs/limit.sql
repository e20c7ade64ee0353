-- # alone, it ends the scan early
SELECT l_order FROM lines WHERE l_quantity > 10 LIMIT 10;
--   result: l_order BIGINT
--     fragment 0 (once): SELECT l_order FROM in_0 AS "lines" WHERE l_quantity > 10 LIMIT 10
--       in_0: scan lines: 2 of 5 columns (l_order, l_quantity), 1 of 1 files, 16 of 16 row groups, 1 splits, where l_quantity > 10
--   not divided: no way is open
--     not lines split by split: a LIMIT ends the scan early

-- # behind groups
SELECT l_part, count(*) FROM lines GROUP BY l_part LIMIT 10;
--   result: l_part BIGINT, count_star() BIGINT
--     fragment 1 (once): SELECT in_k0 AS "l_part", finalize(combine_aggr(to_aggregate_state("in_a1", 'count', ['BIGINT']))) AS "count_star()" FROM in_x0 GROUP BY in_k0 LIMIT 10
--       in_x0: exchange 0 (gather, about 148 kB) in_k0, in_a1
--         fragment 0 (parallel, lines split by split, in 6 shares): SELECT l_part AS "in_k0", count(*) EXPORT_STATE AS "in_a1" FROM in_0 AS "lines" GROUP BY ALL
--           in_0: scan lines: 1 of 5 columns (l_part), 1 of 1 files, 16 of 16 row groups, 6 splits
--   divided: lines split by split: about 124 kB less for the busiest worker than for one worker alone
--     not lines by hash of l_part: a LIMIT ends the scan early
