-- Tokens that were given out, each as a keyed hash; never deleted, so that it stays known who let whom in.
CREATE TABLE passes (
    id         uuid PRIMARY KEY,                        -- version 7: sorts by time
    mark       bytea NOT NULL UNIQUE,                   -- keyed hash of the token's hash
    name       text NOT NULL,
    role       text NOT NULL,                           -- viewer, sender, admin
    label      text,
    added_at   bigint NOT NULL,
    added_by   text NOT NULL,
    used_at    bigint,                                  -- written once a day
    revoked_at bigint,                                  -- NULL while it lets its operator in
    revoked_by text
);

-- Browsers that are signed in. A session is worth what its token is worth.
CREATE TABLE sessions (
    mark       bytea PRIMARY KEY,                       -- keyed hash of the hash of what is in the cookie
    token      bytea NOT NULL,                          -- the mark of the token, which may be one of the configuration
    expires_at bigint NOT NULL
);
CREATE INDEX sessions_token ON sessions (token);
