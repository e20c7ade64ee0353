-- What is here. Each folder and each file under the data root is a table.
SHOW TABLES;

SELECT count(*) AS rows, min(id) AS first, max(id) AS last, round(avg(value2), 3) AS average FROM sample;
