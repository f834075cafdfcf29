-- DDL of MySQL is not undone: a statement that ran before a crash runs again.
CREATE TABLE IF NOT EXISTS auth_records (
    digest     BINARY(32)     NOT NULL PRIMARY KEY,
    kind       VARBINARY(255) NOT NULL,
    owner      BINARY(32),             -- NULL: not listed
    revision   BIGINT         NOT NULL,
    keep_until BIGINT,                 -- microseconds since 1970; NULL: kept for ever
    seen       BIGINT         NOT NULL, -- microseconds since 1970
    record     LONGBLOB       NOT NULL,
    INDEX auth_records_owned (owner, kind, digest),
    INDEX auth_records_kept (keep_until)
) ENGINE = InnoDB;
