SELECT 1 AS one, 'a' || 'b';

-- plan, workers = 1
-- result: one INTEGER, ('a' || 'b') VARCHAR
--   fragment 0 (once): SELECT 1 AS one, 'a' || 'b'
-- plan, workers = 3
-- result: one INTEGER, ('a' || 'b') VARCHAR
--   fragment 0 (once): SELECT 1 AS one, 'a' || 'b'
