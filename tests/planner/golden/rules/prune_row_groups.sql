-- # Statistics rule out what lies beside a comparison
SELECT note FROM orders WHERE id >= 950;
-- before
--   in_0 (orders): 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
-- after
--   in_0 (orders): 9

-- # And IN, group by group
SELECT note FROM orders WHERE id IN (5, 120, 950);
-- before
--   in_0 (orders): 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
-- after
--   in_0 (orders): 0, 1, 9

-- # Conditions together
SELECT note FROM orders WHERE id > 250 AND amount < 200 AND note > 'note 03';
-- before
--   in_0 (orders): 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
-- after
--   in_0 (orders): 3

-- # A comparison that no row meets
SELECT note FROM orders WHERE id = 5000;
-- before
--   in_0 (orders): 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
-- after
--   in_0 (orders): none

-- # NULL, by the statistics' counts
SELECT note FROM orders WHERE note IS NULL;
-- before
--   in_0 (orders): 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
-- after
--   in_0 (orders): none

-- # OR, NOT and arithmetic rule nothing out
SELECT note FROM orders WHERE (id = 3 OR id = 500) AND NOT id = 3 AND id + 1 > 900;
-- before
--   in_0 (orders): 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
-- after
--   in_0 (orders): 0, 1, 2, 3, 4, 5, 6, 7, 8, 9

-- # A number and a string that reads as one compare as numbers
SELECT note FROM orders WHERE id = '120' AND id < 120.5;
-- before
--   in_0 (orders): 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
-- after
--   in_0 (orders): 1

-- # Doubles have NaN above all, which statistics leave out
SELECT note FROM orders WHERE amount > 490;
-- before
--   in_0 (orders): 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
-- after
--   in_0 (orders): 0, 1, 2, 3, 4, 5, 6, 7, 8, 9

-- # A join's condition prunes each side
SELECT o.note FROM people p JOIN orders o ON p.id = o.id AND o.id < 150 WHERE p.id > 9;
-- before
--   in_0 (p): 0
--   in_1 (o): 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
-- after
--   in_0 (p): none
--   in_1 (o): 0, 1

-- # The field of a struct is no column, whatever its name
SELECT note FROM orders WHERE struct_pack(id := 1).id = 7;
-- before
--   in_0 (orders): 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
-- after
--   in_0 (orders): 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
