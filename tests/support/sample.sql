-- The guide's four tables in small, and what makes a round trip hard: odd names, odd types, partitions,
-- an empty table, no primary key, and objects that are no tables.
CREATE TABLE region_info (provider_name text, region_name text, latitude double precision, longitude double precision,
    PRIMARY KEY (provider_name, region_name));
CREATE TABLE spec_info (id text PRIMARY KEY, provider_name text NOT NULL, region_name text NOT NULL, v_cpu int,
    memory_gi_b real, cost_per_hour numeric(12, 6) DEFAULT -1, details jsonb, updated timestamptz,
    FOREIGN KEY (provider_name, region_name) REFERENCES region_info);
CREATE TABLE image_info (id text PRIMARY KEY, provider_name text, os_type text, is_basic_image boolean, details json);
CREATE TABLE pricing_info (spec_id text REFERENCES spec_info, price numeric, valid tstzrange);
INSERT INTO region_info SELECT p, p || '-region-' || r, r * 1.1, -r / 3.0
    FROM unnest(ARRAY['aws', 'azure', 'gcp']) AS p, generate_series(1, 10) AS r;
INSERT INTO spec_info SELECT format('%s+%s+%s', provider_name, region_name, n), provider_name, region_name, n, n * 0.5,
    CASE WHEN n % 5 = 0 THEN -1 ELSE n * 0.0123 END, jsonb_build_object('family', md5(n::text), 'n', n),
    timestamptz '2024-01-15 14:30:22+00' + n * interval '1 second'
    FROM region_info, generate_series(1, 40) AS n;
INSERT INTO image_info SELECT 'image-' || n, (ARRAY['aws', 'azure', 'gcp'])[n % 3 + 1], 'Ubuntu ' || n % 24, n % 7 = 0,
    json_build_object('Key', 'description', 'Value', repeat('generated ', n % 20)) FROM generate_series(1, 2000) AS n;
INSERT INTO pricing_info SELECT id, cost_per_hour, tstzrange(updated, NULL) FROM spec_info WHERE cost_per_hour > 0;
CREATE INDEX ON spec_info (provider_name, cost_per_hour);

CREATE SCHEMA "Odd ""schema""; --";
CREATE TABLE "Odd ""schema""; --"."tablé 'with' $odd$ name" ("column ""one""" text, r int GENERATED ALWAYS AS IDENTITY);
INSERT INTO "Odd ""schema""; --"."tablé 'with' $odd$ name" ("column ""one""")
    VALUES (NULL), (''), (E'tab\tnewline\nbackslash\\'), ('한글'), ('😀'), ('NULL'), ('\N');
CREATE TABLE empty_table (nothing int);
CREATE TABLE no_columns ();
INSERT INTO no_columns DEFAULT VALUES;
CREATE TABLE measured (day date, value double precision) PARTITION BY RANGE (day);
CREATE TABLE measured_2024 PARTITION OF measured FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE measured_2025 PARTITION OF measured FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
INSERT INTO measured SELECT date '2024-06-01' + n, n / 7.0 FROM generate_series(1, 500) AS n;
CREATE TYPE "Mood" AS ENUM ('sad', 'happy');
CREATE TABLE every_type (a smallint, b bigint, c real, d double precision, e money, f bytea, g interval, h uuid, i inet,
    j bit(3), k xml, l point, m tsvector, n int[], o "Mood", p time with time zone, q macaddr, r name, s "char", t jsonb);
INSERT INTO every_type VALUES (1, 2, 0.1, 1e-300, '12.34', '\xdeadbeef', '1 year 2 days', '6f1d3a2e-0b5c-4c7e-9a53-2d1f0e8b7a64', '10.0.0.0/8',
    B'101', '<a b="c"/>', '(1.5,2)', 'fat cat', '{1,NULL,3}', 'happy', '12:00+09', '08:00:2b:01:02:03', 'name', 'x', '{"a": 1.00}');
INSERT INTO every_type (a, b, c, d) VALUES (NULL, NULL, NULL, NULL), ('-32768', '-9223372036854775808', 'NaN', '-Infinity');
CREATE SEQUENCE counter START 42;
SELECT nextval('counter');
COMMENT ON TABLE spec_info IS 'VM specifications; it''s "quoted"';
