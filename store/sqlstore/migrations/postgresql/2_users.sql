CREATE TABLE auth_users (
    id       BYTEA  PRIMARY KEY,     -- the SHA-256 of the user's ID
    login    BYTEA  NOT NULL UNIQUE, -- the SHA-256 of the user's login
    revision BIGINT NOT NULL,
    account  BYTEA  NOT NULL         -- JSON
);
