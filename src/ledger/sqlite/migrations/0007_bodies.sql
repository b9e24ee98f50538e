-- Bodies are deleted after their time.
CREATE INDEX deliveries_kept ON deliveries (at) WHERE body IS NOT NULL;
