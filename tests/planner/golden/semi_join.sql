SELECT name FROM people SEMI JOIN orders ON person_id = people.id;

-- plan, workers = 1
-- result: name VARCHAR
--   fragment 0 (once): SELECT name FROM in_0 AS "people" SEMI JOIN in_1 AS "orders" ON person_id = people.id
--     in_0: scan people: 2 of 4 columns (id, name), 1 of 1 files, 1 splits
--     in_1: scan orders: 1 of 4 columns (person_id), 1 of 1 files, 1 splits
-- plan, workers = 3
-- result: name VARCHAR
--   fragment 2 (parallel, people and orders by hash of id = person_id, in shares of buckets, made as it runs): SELECT name FROM in_0 AS "people" SEMI JOIN in_1 AS "orders" ON person_id = people.id
--     in_0: exchange 1 (hash of id, 192 buckets, next to nothing) id, name
--       fragment 1 (parallel, people split by split, in 1 shares): SELECT "id", "name", ((hash("id") >> 32) % 192)::USMALLINT AS in_b FROM in_0
--         in_0: scan people: 2 of 4 columns (id, name), 1 of 1 files, 1 of 1 row groups, 1 splits
--     in_1: exchange 0 (hash of person_id, 192 buckets, about 32 kB) person_id
--       fragment 0 (parallel, orders split by split, in 4 shares): SELECT "person_id", ((hash("person_id") >> 32) % 192)::USMALLINT AS in_b FROM in_1
--         in_1: scan orders: 1 of 4 columns (person_id), 1 of 1 files, 10 of 10 row groups, 4 splits
-- divided: people and orders by hash of id = person_id: about 3.2 kB less for the busiest worker than for one worker alone
--   not orders split by split: the rows of the semi or anti join's other side would come from each share again
--   not people and orders by ranges of id = person_id: they are not written in the order of that key
--   not orders by hash of person_id: the rows of the semi or anti join's other side would come from each share again
