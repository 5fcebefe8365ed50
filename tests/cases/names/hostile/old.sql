-- Names are data: quotes, newlines, formats, paths, markup, right-to-left marks, twins in case.
CREATE SCHEMA "we""ird %s";
CREATE TABLE "we""ird %s"."a'b""c; DROP TABLE x; --" ("select" int PRIMARY KEY, "Näme ☃" text, "{0} %s \ $$" text, "naïve" text);
INSERT INTO "we""ird %s"."a'b""c; DROP TABLE x; --" VALUES (1, 'one', '{0}', '%s'), (2, E'tab\there', E'back\\slash', E'line\nbreak'), (3, NULL, '', 'NULL');
CREATE TABLE "../../etc" (id int PRIMARY KEY, "<script>" text);
INSERT INTO "../../etc" VALUES (1, '<b>'), (2, '\N');
CREATE TABLE "Twin" (id int PRIMARY KEY, "V" text, v text);
CREATE TABLE twin (id int PRIMARY KEY, "V" text, v text);
INSERT INTO "Twin" VALUES (1, 'upper', 'lower of Twin');
INSERT INTO twin VALUES (1, 'upper of twin', 'lower');
CREATE TABLE "=cmd|' /C calc'!A0" (id int PRIMARY KEY, "a
b" text);
INSERT INTO "=cmd|' /C calc'!A0" VALUES (1, 'line');
CREATE TABLE "‮rtl" (id int PRIMARY KEY, "🦊" int);
INSERT INTO "‮rtl" VALUES (1, 10);
CREATE TABLE "a23456789012345678901234567890123456789012345678901234567890123" (id int PRIMARY KEY, b23456789012345678901234567890123456789012345678901234567890123 int);
INSERT INTO "a23456789012345678901234567890123456789012345678901234567890123" VALUES (1, 63);
