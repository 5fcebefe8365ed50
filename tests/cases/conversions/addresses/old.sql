-- Types whose cast is not what the other type's input reads: netmasks, the short form of an EUI-64, negative object identifiers.
CREATE TABLE a (id int PRIMARY KEY, host inet, hosts inet[], mac macaddr8, big bigint);
INSERT INTO a VALUES (1, '1.2.3.4', '{1.2.3.4,10.0.0.0/8}', '08:00:2b:ff:fe:01:02:03', 4294967295), (2, '::1', NULL, NULL, 1),
  (3, NULL, NULL, '08:00:2b:04:05:01:02:03', 1), (4, NULL, NULL, NULL, -129), (5, '255.255.255.255', NULL, NULL, NULL), (6, NULL, NULL, NULL, 4294967296);
