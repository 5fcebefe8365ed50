CREATE TABLE a (id int PRIMARY KEY, host varchar(15), hosts varchar(15)[], mac macaddr, big oid);
