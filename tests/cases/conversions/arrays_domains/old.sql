-- Types that grow inside arrays and domains convert by themselves; an enum that lost a label needs a word, and its rows go.
CREATE DOMAIN short AS varchar(5);
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE t (id smallint PRIMARY KEY, a int[], b varchar(5)[], c short, d numeric(6,2), e mood, f real, g date, h boolean);
INSERT INTO t VALUES
    (1, '{1,NULL,-3}', '{"a,b",NULL,""}', 'abcde', 1234.50, 'ok', 0.1, '2024-02-29', true),
    (2, '[2:3]={7,8}', '{}', '', -0.01, 'sad', 'NaN', '-infinity', false),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (4, '{{1,2},{3,4}}', '{x}', 'é', 9999.99, 'happy', 3.4e38, '0044-03-15 BC', true);
