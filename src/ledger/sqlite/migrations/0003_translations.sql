-- What people want to hold from now on: a value of an ATS, and what Personio gets in its place.
CREATE TABLE translations (
    id        BLOB PRIMARY KEY,                        -- UUID version 7: sorts by time
    slot      BLOB NOT NULL,                           -- keyed hash of source, attribute and the ATS's value
    confirmed INTEGER NOT NULL,                        -- 0: proposed, 1: it holds
    entry     BLOB NOT NULL,                           -- encrypted
    UNIQUE (slot, confirmed)
) WITHOUT ROWID;
