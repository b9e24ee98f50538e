-- What people are told: once about each subject and reason, by each channel. Nothing personal is in it.
CREATE TABLE notices (
    id      BLOB PRIMARY KEY,                          -- UUID version 7: sorts by time
    subject BLOB NOT NULL,                             -- a hire's id, or the name of what is not a hire
    about   TEXT NOT NULL,                             -- why: `held(missing)`, `warnings`, `signatures 2026-12-01`
    channel TEXT NOT NULL,
    state   TEXT NOT NULL,                             -- pending, sent, given_up
    tries   INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    UNIQUE (subject, about, channel)
) WITHOUT ROWID;
CREATE INDEX notices_due ON notices (channel, next_at) WHERE state = 'pending';

-- Where hires may be that somebody is to be told of.
CREATE INDEX hires_noteworthy ON hires (updated_at) WHERE state IN ('held', 'unknown', 'created');
