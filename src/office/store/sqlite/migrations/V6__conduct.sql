-- Which state of a record the rules of conduct were asked of, and by which layers.
CREATE TABLE conduct_asked (
    record BLOB PRIMARY KEY REFERENCES records (id),
    heads  BLOB NOT NULL,
    policy BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- What did not pass: the console's queue of failures and unknowns.
CREATE TABLE conduct (
    record   BLOB NOT NULL REFERENCES records (id),
    rule     TEXT NOT NULL,
    moment   TEXT NOT NULL,
    layer    TEXT NOT NULL,
    answer   TEXT NOT NULL,
    severity TEXT NOT NULL,
    status   TEXT NOT NULL,
    shadow   INTEGER NOT NULL,
    grade    TEXT,
    reason   TEXT NOT NULL,
    policy   TEXT NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (record, rule)
) STRICT, WITHOUT ROWID;
CREATE INDEX conduct_by_answer ON conduct (answer, rule, record);
