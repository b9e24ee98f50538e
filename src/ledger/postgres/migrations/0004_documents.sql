-- Permits are for documents as well: their subject is a hire's id or a document's.
ALTER TABLE permits DROP CONSTRAINT permits_subject_fkey;

-- Documents that follow a hire. What is personal is in `sheet`, encrypted.
CREATE TABLE documents (
    id            uuid PRIMARY KEY,
    hire          uuid NOT NULL REFERENCES hires (id),
    n             bigint NOT NULL,             -- within the hire, from 1
    file_hash     bytea NOT NULL,              -- keyed hash of the file's id at the ATS
    kind          text NOT NULL,
    state         text NOT NULL,
    reason        text,
    version       bigint NOT NULL,
    mark          uuid NOT NULL,               -- of the last write, so that its writer knows it again after a lost answer
    fill          uuid,                        -- which of the attempts filled the spool; NULL until one has
    size          bigint,
    content_hash  bytea,                       -- keyed hash of the content
    next_at       bigint,
    since         bigint,
    tries         bigint NOT NULL,
    owner         uuid,                        -- the process that holds the permit
    lease_until   timestamptz,                 -- the permit's deadline and some more
    claimed_by    uuid,                        -- the process that works on it
    claimed_until timestamptz,                 -- until then the others leave it alone
    updated_at    bigint NOT NULL,
    sheet         bytea NOT NULL,
    UNIQUE (hire, n),
    UNIQUE (hire, file_hash)
);
CREATE INDEX documents_due ON documents (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX documents_state ON documents (state);

-- The files until they are sent: encrypted chunks of one attempt to take them.
CREATE TABLE spool (
    document uuid NOT NULL REFERENCES documents (id),
    fill     uuid NOT NULL,
    n        bigint NOT NULL,
    chunk    bytea NOT NULL,
    PRIMARY KEY (document, fill, n)
);
ALTER TABLE spool ALTER COLUMN chunk SET STORAGE EXTERNAL; -- encrypted bytes cannot be compressed
