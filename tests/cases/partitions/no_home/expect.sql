SELECT tableoid::regclass, * FROM ev ORDER BY id;
