CREATE TABLE auth_users (
    id       BLOB    NOT NULL PRIMARY KEY, -- the SHA-256 of the user's ID
    login    BLOB    NOT NULL UNIQUE,      -- the SHA-256 of the user's login
    revision INTEGER NOT NULL,
    account  BLOB    NOT NULL              -- JSON
);
