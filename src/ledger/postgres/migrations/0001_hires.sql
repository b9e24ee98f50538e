-- What is personal is in `facts`, `rest` and `body`, encrypted; every other column may be read by anyone who may read the tables.
-- Times in bigint are milliseconds since 1970 by hirebridge's clock; times in timestamptz are by the server's.
CREATE TABLE meta (
    name  text PRIMARY KEY,
    value bytea NOT NULL
);

CREATE TABLE hires (
    id            uuid PRIMARY KEY,          -- version 7: sorts by time of receipt
    key_hash      bytea NOT NULL UNIQUE,     -- keyed hash of kind/account/application; survives erasure
    kind          text NOT NULL,
    account       text NOT NULL,
    application   text NOT NULL,
    source        text NOT NULL,
    state         text NOT NULL,
    reason        text,
    version       bigint NOT NULL,           -- compare-and-set: a change counts only on the version it was made from
    mark          uuid NOT NULL,             -- of the last write, so that its writer knows it again after a lost answer
    owner         uuid,                      -- the process that holds the permit
    lease_until   timestamptz,               -- the permit's deadline and some more: then nobody can be sending any more
    claimed_by    uuid,                      -- the process that works on it
    claimed_until timestamptz,               -- until then the others leave it alone
    next_at       bigint,
    since         bigint,
    tries         bigint NOT NULL,
    look_up_zero  text NOT NULL,
    employee      bigint,
    flags         text NOT NULL,
    person_hash   bytea,                     -- keyed hash of the normalised e-mail address
    received_at   bigint NOT NULL,
    updated_at    bigint NOT NULL,
    facts         bytea NOT NULL,            -- written once, mostly
    rest          bytea NOT NULL             -- with the plan
);
CREATE INDEX hires_due ON hires (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX hires_state ON hires (state, id);
CREATE INDEX hires_person ON hires (person_hash) WHERE person_hash IS NOT NULL;

CREATE TABLE history (
    n          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hire       uuid NOT NULL REFERENCES hires (id),
    at         bigint NOT NULL,
    actor      text NOT NULL,
    from_state text,
    to_state   text NOT NULL,
    cause      text NOT NULL
);
CREATE INDEX history_hire ON history (hire);

CREATE TABLE deliveries (
    n           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hire        uuid NOT NULL REFERENCES hires (id),
    source      text NOT NULL,
    at          bigint NOT NULL,
    event       text NOT NULL,
    delivery_id text,
    secret      bigint,
    body        bytea
);
CREATE INDEX deliveries_hire ON deliveries (hire);

CREATE TABLE permits (
    subject    uuid NOT NULL REFERENCES hires (id),
    number     bigint NOT NULL,
    owner      uuid NOT NULL,
    granted_at bigint NOT NULL,
    deadline   bigint NOT NULL,
    ended      text,                         -- created, refused, void, unknown, overruled; NULL while the call may be on the wire
    PRIMARY KEY (subject, number)
);
