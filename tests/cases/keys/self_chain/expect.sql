SELECT * FROM node ORDER BY id; SELECT convalidated FROM pg_constraint WHERE conname = 'node_up';
