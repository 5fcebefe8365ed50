SELECT count(*), sum(parent) FROM staff;
SELECT count(*), max(owner_id) FROM badges;
