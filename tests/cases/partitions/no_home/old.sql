-- A plain table becomes partitioned without a default partition: rows of no partition are rejected, inheritance children flow into the parent.
CREATE TABLE ev (id int NOT NULL, at date NOT NULL, v text);
CREATE TABLE ev_2024 () INHERITS (ev);
CREATE TABLE ev_2025 () INHERITS (ev);
INSERT INTO ev VALUES (1, '2023-06-01', 'too early'), (2, '2024-01-01', 'in the parent itself');
INSERT INTO ev_2024 VALUES (3, '2024-12-31', 'a'), (4, '2025-01-01', 'in the wrong child');
INSERT INTO ev_2025 VALUES (5, '2025-06-01', 'b'), (6, '2026-01-01', 'too late');
