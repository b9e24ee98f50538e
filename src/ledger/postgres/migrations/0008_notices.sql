-- What people are told: once about each subject and reason, by each channel. Nothing personal is in it.
CREATE TABLE notices (
    id      uuid PRIMARY KEY,                           -- version 7: sorts by time
    subject bytea NOT NULL,                             -- a hire's id, or the name of what is not a hire
    about   text NOT NULL,                              -- why: `held(missing)`, `warnings`, `signatures 2026-12-01`
    channel text NOT NULL,
    state   text NOT NULL,                              -- pending, sent, given_up
    tries   bigint NOT NULL,
    at      bigint NOT NULL,
    next_at bigint NOT NULL,
    UNIQUE (subject, about, channel)
);
CREATE INDEX notices_due ON notices (channel, next_at) WHERE state = 'pending';

-- Where hires may be that somebody is to be told of.
CREATE INDEX hires_noteworthy ON hires (updated_at) WHERE state IN ('held', 'unknown', 'created');
