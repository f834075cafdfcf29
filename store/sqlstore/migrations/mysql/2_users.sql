CREATE TABLE IF NOT EXISTS auth_users (
    id       BINARY(32) NOT NULL PRIMARY KEY, -- the SHA-256 of the user's ID
    login    BINARY(32) NOT NULL UNIQUE,      -- the SHA-256 of the user's login
    revision BIGINT     NOT NULL,
    account  LONGBLOB   NOT NULL              -- JSON
) ENGINE = InnoDB;
