-- Names are data: quotes, newlines, formats, paths, markup, right-to-left marks, twins in case.
CREATE SCHEMA "we""ird %s";
CREATE TABLE "we""ird %s"."a'b""c; DROP TABLE x; --" ("select" int PRIMARY KEY, "Näme ☃" text, "{0} %s \ $$" text, "naïve" text);
CREATE TABLE "../../etc" (id int PRIMARY KEY, "<script>" text);
CREATE TABLE "Twin" (id int PRIMARY KEY, "V" text, v text);
CREATE TABLE twin (id int PRIMARY KEY, "V" text, v text);
CREATE TABLE "=cmd|' /C calc'!A0" (id int PRIMARY KEY, "a
b" text);
CREATE TABLE "‮rtl" (id int PRIMARY KEY, "🦊" bigint);
CREATE TABLE "a23456789012345678901234567890123456789012345678901234567890123" (id int PRIMARY KEY, b23456789012345678901234567890123456789012345678901234567890123 int);
