-- Only the columns whose names are written somewhere are read.
SELECT p.name, count(*) FROM people p GROUP BY p.name ORDER BY max(p.age);

-- plan, workers = 1
-- result: name VARCHAR, count_star() BIGINT
--   fragment 0 (once): SELECT p.name, count(*) FROM in_0 p GROUP BY p.name ORDER BY max(p.age)
--     in_0: scan people: 2 of 4 columns (name, age), 1 of 1 files, 1 splits
-- plan, workers = 3
-- result: name VARCHAR, count_star() BIGINT
--   fragment 0 (once): SELECT p.name, count(*) FROM in_0 p GROUP BY p.name ORDER BY max(p.age)
--     in_0: scan people: 2 of 4 columns (name, age), 1 of 1 files, 1 of 1 row groups, 1 splits
-- not divided: people has 5 rows to read, and tables of fewer than 500 are not worth it
