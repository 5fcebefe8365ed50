-- Rejected rows, and the rejects that the data checks predicted.

-- name: rejects
-- $1 run. The rejected rows in table and physical order.
SELECT * FROM {journal}.reject WHERE run = $1 ORDER BY position, source, page, line;

-- name: forget_rejects
-- $1 run, $2 position.
DELETE FROM {journal}.reject WHERE run = $1 AND position = $2;

-- name: predicted_rejects
-- $1 run. The predicted rejects in table and physical order.
SELECT * FROM {journal}.{predicted} WHERE run = $1 ORDER BY position, source, page, line;

-- name: forget_predicted_rejects
-- $1 run, $2 position.
DELETE FROM {journal}.{predicted} WHERE run = $1 AND position = $2;
