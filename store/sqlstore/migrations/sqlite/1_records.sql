CREATE TABLE auth_records (
    digest     BLOB    NOT NULL PRIMARY KEY,
    kind       BLOB    NOT NULL,
    owner      BLOB,             -- NULL: not listed
    revision   INTEGER NOT NULL,
    keep_until INTEGER,          -- microseconds since 1970; NULL: kept for ever
    seen       INTEGER NOT NULL, -- microseconds since 1970
    record     BLOB    NOT NULL
);

CREATE INDEX auth_records_owned ON auth_records (owner, kind, digest) WHERE owner IS NOT NULL;

CREATE INDEX auth_records_kept ON auth_records (keep_until) WHERE keep_until IS NOT NULL;
