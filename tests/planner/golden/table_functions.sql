SELECT r.range, u.unnest FROM range(3) r, unnest(['x', 'y']) u;

-- plan, workers = 1
-- result: range BIGINT, unnest VARCHAR
--   fragment 0 (once): SELECT r.range, u.unnest FROM range(3) r, UNNEST(['x', 'y']) u
-- plan, workers = 3
-- result: range BIGINT, unnest VARCHAR
--   fragment 0 (once): SELECT r.range, u.unnest FROM range(3) r, UNNEST(['x', 'y']) u
