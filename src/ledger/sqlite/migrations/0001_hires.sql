-- What is personal is in `sealed` and `body`, encrypted; every other column may be read by anyone who has the file.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE hires (
    id           BLOB PRIMARY KEY,           -- UUID version 7: sorts by time of receipt
    key_hash     BLOB NOT NULL UNIQUE,       -- keyed hash of kind/account/application; survives erasure
    kind         TEXT NOT NULL,
    account      TEXT NOT NULL,
    application  TEXT NOT NULL,
    source       TEXT NOT NULL,
    state        TEXT NOT NULL,
    reason       TEXT,
    version      INTEGER NOT NULL,           -- compare-and-set: a change counts only on the version it was made from
    owner        BLOB,                       -- the process that holds the permit
    lease_until  INTEGER,                    -- milliseconds since 1970, like every time here
    next_at      INTEGER,
    since        INTEGER,
    tries        INTEGER NOT NULL,
    look_up_zero TEXT NOT NULL,
    employee     INTEGER,
    flags        TEXT NOT NULL,
    person_hash  BLOB,                       -- keyed hash of the normalised e-mail address
    received_at  INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX hires_due ON hires (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX hires_state ON hires (state, id);
CREATE INDEX hires_person ON hires (person_hash) WHERE person_hash IS NOT NULL;

-- Apart from the hire, so that a change of its state rewrites neither.
CREATE TABLE records (
    n      INTEGER PRIMARY KEY,
    hire   BLOB NOT NULL REFERENCES hires (id),
    part   TEXT NOT NULL,                    -- `facts`, written once mostly, or `rest`, with the plan
    sealed BLOB NOT NULL,
    UNIQUE (hire, part)
);

CREATE TABLE history (
    n          INTEGER PRIMARY KEY,
    hire       BLOB NOT NULL REFERENCES hires (id),
    at         INTEGER NOT NULL,
    actor      TEXT NOT NULL,
    from_state TEXT,
    to_state   TEXT NOT NULL,
    cause      TEXT NOT NULL
);
CREATE INDEX history_hire ON history (hire);

CREATE TABLE deliveries (
    n           INTEGER PRIMARY KEY,
    hire        BLOB NOT NULL REFERENCES hires (id),
    source      TEXT NOT NULL,
    at          INTEGER NOT NULL,
    event       TEXT NOT NULL,
    delivery_id TEXT,
    secret      INTEGER,
    body        BLOB
);
CREATE INDEX deliveries_hire ON deliveries (hire);

CREATE TABLE permits (
    subject    BLOB NOT NULL REFERENCES hires (id),
    number     INTEGER NOT NULL,
    owner      BLOB NOT NULL,
    granted_at INTEGER NOT NULL,
    deadline   INTEGER NOT NULL,
    ended      TEXT,                          -- created, refused, void, unknown, overruled; NULL while the call may be on the wire
    PRIMARY KEY (subject, number)
) WITHOUT ROWID;
