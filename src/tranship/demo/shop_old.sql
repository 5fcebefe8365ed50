-- The shop's old database: nine years old, grown as needed. PostgreSQL 11 or newer. Every value is computed from row numbers, so each run makes the same rows.

CREATE FUNCTION pg_temp.dice(n bigint, salt bigint, sides int) RETURNS int LANGUAGE sql IMMUTABLE
AS 'SELECT (((hashint8extended(n, salt) % sides) + sides) % sides)::int';

CREATE TABLE countries (code char(2) PRIMARY KEY, name text NOT NULL);
INSERT INTO countries VALUES
    ('DE', 'Germany'), ('FR', 'France'), ('IT', 'Italy'), ('ES', 'Spain'), ('NL', 'Netherlands'), ('SE', 'Sweden'), ('PL', 'Poland'), ('PT', 'Portugal');

CREATE TABLE customers (
    id serial PRIMARY KEY,
    user_name varchar(50) NOT NULL UNIQUE,
    email varchar(120),
    full_name text NOT NULL,
    phone varchar(20),
    status text NOT NULL,
    newsletter boolean NOT NULL DEFAULT false,
    tags text[] NOT NULL DEFAULT '{}',
    preferences jsonb,
    credit_limit numeric(8,2),
    legacy_code varchar(12),
    created_at timestamp NOT NULL
);
INSERT INTO customers (user_name, email, full_name, phone, status, newsletter, tags, preferences, credit_limit, legacy_code, created_at)
SELECT
    (ARRAY['anna','ben','chloé','dario','eva','felix','giulia','hugo','inés','jan','katja','luca','marta','nils','olga','pablo'])[1 + pg_temp.dice(n, 1, 16)] || '_' || n,
    CASE WHEN pg_temp.dice(n, 2, 25) > 0 THEN 'customer' || n || '@example.org' END,
    (ARRAY['Anna','Ben','Chloé','Dario','Eva','Felix','Giulia','Hugo','Inés','Jan','Katja','Luca','Marta','Nils','Olga','Pablo'])[1 + pg_temp.dice(n, 1, 16)] || ' '
        || (ARRAY['Müller','Dubois','Rossi','García','de Vries','Lindström','Kowalski','Silva','O''Brien','Šimek'])[1 + pg_temp.dice(n, 3, 10)],
    CASE WHEN pg_temp.dice(n, 4, 3) > 0 THEN '+49 ' || 100 + pg_temp.dice(n, 5, 900) || ' ' || 1000000 + pg_temp.dice(n, 6, 8999999) END,
    (ARRAY['active','active','active','active','active','inactive','inactive','blocked','deleted'])[1 + pg_temp.dice(n, 7, 9)],
    pg_temp.dice(n, 8, 3) = 0,
    (ARRAY['{}','{vip}','{b2b,net30}','{"old shop"}','{vip,"needs invoice"}','{}'])[1 + pg_temp.dice(n, 9, 6)]::text[],
    CASE WHEN pg_temp.dice(n, 10, 4) > 0 THEN jsonb_build_object('theme', (ARRAY['light','dark'])[1 + pg_temp.dice(n, 11, 2)], 'page_size', 10 * (1 + pg_temp.dice(n, 12, 5))) END,
    CASE WHEN pg_temp.dice(n, 13, 5) = 0 THEN 100 * pg_temp.dice(n, 14, 500) + 0.50 END,
    CASE WHEN n < 3000 THEN 'K' || lpad(n::text, 7, '0') END,
    timestamp '2016-03-01 08:00' + n * interval '6 hours' + pg_temp.dice(n, 15, 20000) * interval '1 second'
FROM generate_series(1, 12000) AS n;
DELETE FROM customers WHERE id % 97 = 0;

CREATE TABLE addresses (
    id serial PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customers,
    kind varchar(10) NOT NULL,
    street varchar(80) NOT NULL,
    zip varchar(10) NOT NULL,
    city text NOT NULL,
    country char(2) NOT NULL REFERENCES countries
);
INSERT INTO addresses (customer_id, kind, street, zip, city, country)
SELECT
    c.id,
    (ARRAY['billing','delivery'])[k],
    (ARRAY['Hauptstraße','Rue de la Paix','Via Roma','Calle Mayor','Kerkstraat','Storgatan'])[1 + pg_temp.dice(c.id, 20 + k, 6)] || ' ' || 1 + pg_temp.dice(c.id, 23 + k, 200),
    lpad(pg_temp.dice(c.id, 26 + k, 99999)::text, 5, '0'),
    (ARRAY['Berlin','Paris','Roma','Madrid','Utrecht','Malmö','Łódź','Évora'])[1 + pg_temp.dice(c.id, 29 + k, 8)],
    (ARRAY['DE','FR','IT','ES','NL','SE','PL','PT'])[1 + pg_temp.dice(c.id, 29 + k, 8)]
FROM customers AS c, generate_series(1, 2) AS k
WHERE k = 1 OR pg_temp.dice(c.id, 32, 3) = 0;

CREATE TABLE categories (id serial PRIMARY KEY, name text NOT NULL UNIQUE, sort_order smallint);
INSERT INTO categories (name, sort_order)
SELECT name, ordinality * 10
FROM unnest(ARRAY['Books','Music','Garden','Kitchen','Toys','Sports','Office','Lighting','Tools','Pets','Bags','Outdoor']) WITH ORDINALITY AS t (name, ordinality);

CREATE TABLE suppliers (id serial PRIMARY KEY, name text NOT NULL, contact jsonb NOT NULL);
INSERT INTO suppliers (name, contact)
SELECT 'Supplier ' || n, jsonb_build_object('mail', 'sales@supplier' || n || '.example', 'phones', jsonb_build_array('+33 1 ' || 1000 + n, '+33 2 ' || 2000 + n))
FROM generate_series(1, 60) AS n;

CREATE TABLE products (
    id serial PRIMARY KEY,
    sku varchar(20) NOT NULL UNIQUE,
    name varchar(120) NOT NULL,
    category text,
    supplier_id integer REFERENCES suppliers,
    price numeric(8,2) NOT NULL,
    weight real,
    attributes jsonb NOT NULL DEFAULT '{}',
    discontinued boolean NOT NULL DEFAULT false
);
INSERT INTO products (sku, name, category, supplier_id, price, weight, attributes, discontinued)
SELECT
    'SKU-' || lpad(n::text, 6, '0'),
    (ARRAY['Small','Large','Blue','Red','Folding','Wooden','Classic','Mini'])[1 + pg_temp.dice(n, 40, 8)] || ' '
        || (ARRAY['lamp','bag','pan','ball','rake','chair','notebook','kettle','rope','bowl'])[1 + pg_temp.dice(n, 41, 10)] || ' ' || n,
    CASE WHEN pg_temp.dice(n, 42, 40) > 0 THEN (SELECT name FROM categories WHERE id = 1 + pg_temp.dice(n, 43, 12)) END,
    CASE WHEN pg_temp.dice(n, 44, 9) > 0 THEN 1 + pg_temp.dice(n, 45, 60) END,
    1 + pg_temp.dice(n, 46, 30000) / 100.0,
    CASE WHEN pg_temp.dice(n, 47, 6) > 0 THEN (1 + pg_temp.dice(n, 48, 9000)) / 1000.0 END,
    jsonb_build_object('colours', jsonb_build_array('blue', 'red'), 'warranty_months', 12 * pg_temp.dice(n, 49, 4)),
    pg_temp.dice(n, 50, 12) = 0
FROM generate_series(1, 2000) AS n;

CREATE TABLE warehouses (id smallint PRIMARY KEY, name text NOT NULL);
INSERT INTO warehouses VALUES (1, 'Leipzig'), (2, 'Lyon'), (3, 'Poznań');

CREATE TABLE stock (
    product_id integer NOT NULL REFERENCES products,
    warehouse_id smallint NOT NULL REFERENCES warehouses,
    quantity integer NOT NULL,
    PRIMARY KEY (product_id, warehouse_id)
);
INSERT INTO stock SELECT p.id, w.id, pg_temp.dice(p.id, 60 + w.id, 400) FROM products AS p, warehouses AS w;

CREATE TABLE orders (
    id serial PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customers,
    order_date date NOT NULL,
    status text NOT NULL,
    total numeric(10,2) NOT NULL DEFAULT 0,
    remark text,
    coupon varchar(16)
);
INSERT INTO orders (customer_id, order_date, status, remark, coupon)
SELECT
    c.id,
    date '2016-03-01' + (n / 12),
    CASE WHEN n > 39500 THEN 'new' ELSE (ARRAY['paid','shipped','shipped','shipped','shipped','returned','cancelled'])[1 + pg_temp.dice(n, 70, 7)] END,
    CASE WHEN pg_temp.dice(n, 71, 30) = 0 THEN E'Please ring twice.\nThank you, "' || c.id || E'"\t:-)' END,
    CASE WHEN pg_temp.dice(n, 72, 10) = 0 THEN 'SPRING' || 2016 + n / 4400 END
FROM generate_series(1, 40000) AS n
JOIN customers AS c ON c.id = 1 + pg_temp.dice(n, 73, 11900);

CREATE TABLE order_items (
    order_id integer NOT NULL REFERENCES orders,
    line_no smallint NOT NULL,
    product_id integer NOT NULL REFERENCES products,
    qty smallint NOT NULL,
    unit_price numeric(8,2) NOT NULL,
    PRIMARY KEY (order_id, line_no)
);
INSERT INTO order_items
SELECT o.id, k, p.id, 1 + pg_temp.dice(o.id, 83 + k, 4), p.price
FROM orders AS o
CROSS JOIN LATERAL generate_series(1, 1 + pg_temp.dice(o.id, 80, 4)) AS k
JOIN products AS p ON p.id = 1 + pg_temp.dice(o.id, 90 + k, 2000);
UPDATE orders AS o SET total = i.total FROM (SELECT order_id, sum(qty * unit_price) AS total FROM order_items GROUP BY order_id) AS i WHERE i.order_id = o.id;

CREATE TABLE payments (
    id serial PRIMARY KEY,
    order_id integer NOT NULL REFERENCES orders,
    method text NOT NULL,
    amount numeric(10,2) NOT NULL,
    paid_at timestamp NOT NULL
);
INSERT INTO payments (order_id, method, amount, paid_at)
SELECT id, (ARRAY['card','card','transfer','paypal','invoice'])[1 + pg_temp.dice(id, 100, 5)], total, order_date + pg_temp.dice(id, 101, 200000) * interval '1 second'
FROM orders WHERE status NOT IN ('new', 'cancelled') ORDER BY id;

CREATE TABLE shipments (
    id serial PRIMARY KEY,
    order_id integer NOT NULL REFERENCES orders,
    carrier varchar(20) NOT NULL,
    tracking varchar(60),
    shipped_at timestamp NOT NULL
);
INSERT INTO shipments (order_id, carrier, tracking, shipped_at)
SELECT
    id,
    (ARRAY['DHL','Chronopost','PostNL','InPost'])[1 + pg_temp.dice(id, 110, 4)],
    CASE WHEN id % 5000 = 7 THEN 'see mail of the carrier: ' || upper(md5(id::text)) ELSE upper(left(md5(id::text), 14)) END,
    order_date + interval '2 days' + pg_temp.dice(id, 111, 90000) * interval '1 second'
FROM orders WHERE status IN ('shipped', 'returned') ORDER BY id;

CREATE TABLE reviews (
    id serial PRIMARY KEY,
    product_id integer NOT NULL REFERENCES products,
    customer_id integer NOT NULL REFERENCES customers,
    rating smallint NOT NULL,
    body text,
    written_at timestamp NOT NULL
);
INSERT INTO reviews (product_id, customer_id, rating, body, written_at)
SELECT
    i.product_id,
    o.customer_id,
    CASE WHEN o.id % 1500 = 3 THEN 0 ELSE 1 + pg_temp.dice(o.id, 120, 5) END,
    CASE WHEN pg_temp.dice(o.id, 121, 3) > 0 THEN (ARRAY['Great.','Très bien !','Nie wieder.','It broke after a week.','Perfetto','ok'])[1 + pg_temp.dice(o.id, 122, 6)] END,
    o.order_date + interval '20 days' + pg_temp.dice(o.id, 123, 80000) * interval '1 second'
FROM orders AS o JOIN order_items AS i ON i.order_id = o.id AND i.line_no = 1
WHERE o.status = 'shipped' AND pg_temp.dice(o.id, 124, 2) = 0 ORDER BY o.id;

CREATE TABLE event_log (
    id bigserial PRIMARY KEY,
    customer_id integer,
    happened_at timestamptz NOT NULL,
    kind varchar(30) NOT NULL,
    labels text[],
    payload jsonb NOT NULL
);
INSERT INTO event_log (customer_id, happened_at, kind, labels, payload)
SELECT
    CASE WHEN pg_temp.dice(n, 130, 4) > 0 THEN c.id END,
    timestamptz '2016-03-01 00:00+00' + n * interval '76 minutes',
    (ARRAY['login','search','view','basket','logout'])[1 + pg_temp.dice(n, 131, 5)],
    CASE WHEN pg_temp.dice(n, 132, 5) > 0 THEN ARRAY['web', (ARRAY['mobile','desktop',NULL])[1 + pg_temp.dice(n, 133, 3)]] END,
    jsonb_build_object('ip', '192.0.2.' || pg_temp.dice(n, 134, 255), 'ms', pg_temp.dice(n, 135, 3000), 'path', '/p/' || pg_temp.dice(n, 136, 2000))
FROM generate_series(1, 60000) AS n
LEFT JOIN customers AS c ON c.id = 1 + pg_temp.dice(n, 137, 11900);

CREATE TABLE tmp_import_2019 (line text);
INSERT INTO tmp_import_2019 SELECT 'row;' || n || ';imported' FROM generate_series(1, 500) AS n;

ANALYZE;
