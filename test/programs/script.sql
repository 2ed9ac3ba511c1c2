-- SPDX-License-Identifier: BSD-2-Clause
-- Role: sqlite3 at work: inserts, indexes, joins, aggregates, a rollback, a check of the whole file.
CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, size INTEGER, body BLOB);
CREATE TABLE tag(item INTEGER REFERENCES item(id), word TEXT);
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
INSERT INTO item SELECT i, 'item ' || (i * 7919 % 20011), i % 997, zeroblob(i % 300) FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
INSERT INTO tag SELECT i * 31 % 20000 + 1, 'tag' || (i % 113) FROM n;
COMMIT;
CREATE INDEX item_name ON item(name);
CREATE INDEX tag_word ON tag(word, item);
SELECT word, count(*), sum(size), max(name) FROM tag JOIN item ON item = id GROUP BY word ORDER BY word;
SELECT group_concat(name, '|') FROM (SELECT name FROM item WHERE size = 17 ORDER BY name);
BEGIN;
DELETE FROM item WHERE id % 3 = 0;
SELECT count(*), sum(length(body)) FROM item;
ROLLBACK;
UPDATE item SET body = hex(body) || name WHERE id % 5 = 0;
SELECT count(*), sum(length(body)) FROM item;
SELECT size, json_group_array(name) FROM item WHERE id < 200 GROUP BY size % 10 ORDER BY size;
VACUUM;
PRAGMA integrity_check;
