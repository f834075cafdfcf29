CREATE TABLE auth_records (
    digest     BYTEA  PRIMARY KEY,
    kind       BYTEA  NOT NULL,
    owner      BYTEA,           -- NULL: not listed
    revision   BIGINT NOT NULL,
    keep_until BIGINT,          -- microseconds since 1970; NULL: kept for ever
    seen       BIGINT NOT NULL, -- microseconds since 1970
    record     BYTEA  NOT NULL
);

CREATE INDEX auth_records_owned ON auth_records (owner, kind, digest) WHERE owner IS NOT NULL;

CREATE INDEX auth_records_kept ON auth_records (keep_until) WHERE keep_until IS NOT NULL;
