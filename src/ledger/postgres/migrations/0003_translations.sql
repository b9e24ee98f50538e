-- What people want to hold from now on: a value of an ATS, and what Personio gets in its place.
CREATE TABLE translations (
    id        uuid PRIMARY KEY,                         -- version 7: sorts by time
    slot      bytea NOT NULL,                           -- keyed hash of source, attribute and the ATS's value
    confirmed boolean NOT NULL,                         -- false: proposed, true: it holds
    entry     bytea NOT NULL,                           -- encrypted
    UNIQUE (slot, confirmed)
);
