SELECT count(*) FROM pg_largeobject_metadata;
