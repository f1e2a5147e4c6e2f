-- Search by parts of case numbers, names and addresses: an index of all characters, pairs and
-- triples. `pg_trgm` has no texts below three characters and, in databases with the locale C, no
-- Chinese. A table of its own, because rows of `visits` change with every merge.
CREATE TABLE visit_search (
    record BYTEA PRIMARY KEY REFERENCES records (id),
    text   TEXT NOT NULL
);

-- Characters, pairs and triples of a line, none shorter than demanded.
CREATE FUNCTION visit_grams(line TEXT, shortest INT) RETURNS TEXT[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    c TEXT[] := string_to_array(lower(line), NULL);
BEGIN
    RETURN CASE WHEN shortest = 1 THEN c ELSE '{}' END
        || CASE WHEN shortest <= 2
            THEN ARRAY(SELECT a || b FROM unnest(c, c[2:]) AS u (a, b) WHERE b IS NOT NULL)
            ELSE '{}' END
        || ARRAY(SELECT a || b || d FROM unnest(c, c[2:], c[3:]) AS u (a, b, d)
            WHERE d IS NOT NULL);
END $$;

-- What a text that is searched for has in common with every text that it is a part of.
CREATE FUNCTION visit_grams_of_part(part TEXT) RETURNS TEXT[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT visit_grams(part, least(length(lower(part)), 3))
$$;

CREATE FUNCTION visit_search_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO visit_search (record, text)
        VALUES (NEW.record, concat_ws(E'\n', NEW.case_no, NEW.borrower_name, NEW.address))
        ON CONFLICT (record) DO UPDATE SET text = excluded.text;
    RETURN NULL;
END $$;
CREATE TRIGGER visit_search_added AFTER INSERT ON visits
    FOR EACH ROW EXECUTE FUNCTION visit_search_written();
CREATE TRIGGER visit_search_changed AFTER UPDATE OF case_no, borrower_name, address ON visits
    FOR EACH ROW WHEN ((OLD.case_no, OLD.borrower_name, OLD.address)
        IS DISTINCT FROM (NEW.case_no, NEW.borrower_name, NEW.address))
    EXECUTE FUNCTION visit_search_written();

INSERT INTO visit_search (record, text)
    SELECT record, concat_ws(E'\n', case_no, borrower_name, address) FROM visits;

-- Names change seldom, and a search should not read a list of pending entries.
CREATE INDEX visit_search_grams ON visit_search USING gin (visit_grams(text, 1))
    WITH (fastupdate = off);
