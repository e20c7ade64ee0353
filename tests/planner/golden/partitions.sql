-- Files that the partition rules out are not opened.
SELECT kind, sum(value) FROM events WHERE year = 2024 AND kind IN ('view', 'other') GROUP BY kind;

-- plan, workers = 1
-- result: kind VARCHAR, sum("value") DOUBLE
--   fragment 0 (once): SELECT kind, sum(value) FROM in_0 AS "events" WHERE year = 2024 AND kind IN ('view', 'other') GROUP BY kind
--     in_0: scan events: 3 of 4 columns (value, kind, year), 1 of 6 files, 1 of 1 row groups, 1 splits, where (year = 2024) AND (kind IN ('view', 'other'))
-- plan, workers = 3
-- result: kind VARCHAR, sum("value") DOUBLE
--   fragment 0 (once): SELECT kind, sum(value) FROM in_0 AS "events" WHERE year = 2024 AND kind IN ('view', 'other') GROUP BY kind
--     in_0: scan events: 3 of 4 columns (value, kind, year), 1 of 6 files, 1 of 1 row groups, 1 splits, where (year = 2024) AND (kind IN ('view', 'other'))
-- not divided: events has 3 rows to read, and tables of fewer than 500 are not worth it
