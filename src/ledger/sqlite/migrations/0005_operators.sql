-- Tokens that were given out, each as a keyed hash; never deleted, so that it stays known who let whom in.
CREATE TABLE passes (
    id         BLOB PRIMARY KEY,                       -- UUID version 7: sorts by time
    mark       BLOB NOT NULL UNIQUE,                   -- keyed hash of the token's hash
    name       TEXT NOT NULL,
    role       TEXT NOT NULL,                          -- viewer, sender, admin
    label      TEXT,
    added_at   INTEGER NOT NULL,
    added_by   TEXT NOT NULL,
    used_at    INTEGER,                                -- written once a day
    revoked_at INTEGER,                                -- NULL while it lets its operator in
    revoked_by TEXT
) WITHOUT ROWID;

-- Browsers that are signed in. A session is worth what its token is worth.
CREATE TABLE sessions (
    mark       BLOB PRIMARY KEY,                       -- keyed hash of the hash of what is in the cookie
    token      BLOB NOT NULL,                          -- the mark of the token, which may be one of the configuration
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_token ON sessions (token);
