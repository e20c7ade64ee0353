-- Arithmetic, comparisons, strings: the first expressions that Volley knew.
SELECT id, value1, value2, id % 7 AS remainder, value1 || '!' AS louder
FROM sample
WHERE value2 >= 0.999 AND value1 <> 'arrow arrow' AND (id < 20000 OR id > 90000)
ORDER BY id
LIMIT 5;

SELECT value1, count(*) AS times, round(avg(value2), 3) AS average
FROM sample
WHERE value1 LIKE 'volley%'
GROUP BY value1
ORDER BY times DESC, value1
LIMIT 5;
