CREATE TABLE node (id int PRIMARY KEY, up int CONSTRAINT node_up REFERENCES node, label varchar(10));
