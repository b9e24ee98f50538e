-- Permits are for documents as well: their subject is a hire's id or a document's.
CREATE TABLE permits_of_all (
    subject    BLOB NOT NULL,
    number     INTEGER NOT NULL,
    owner      BLOB NOT NULL,
    granted_at INTEGER NOT NULL,
    deadline   INTEGER NOT NULL,
    ended      TEXT,                                   -- created, refused, void, unknown, overruled, resent; NULL while the call may be on the wire
    PRIMARY KEY (subject, number)
) WITHOUT ROWID;
INSERT INTO permits_of_all SELECT subject, number, owner, granted_at, deadline, ended FROM permits;
DROP TABLE permits;
ALTER TABLE permits_of_all RENAME TO permits;

-- Documents that follow a hire. What is personal is in `sheet`, encrypted.
CREATE TABLE documents (
    id           BLOB PRIMARY KEY,
    hire         BLOB NOT NULL REFERENCES hires (id),
    n            INTEGER NOT NULL,                     -- within the hire, from 1
    file_hash    BLOB NOT NULL,                        -- keyed hash of the file's id at the ATS
    kind         TEXT NOT NULL,
    state        TEXT NOT NULL,
    reason       TEXT,
    version      INTEGER NOT NULL,
    fill         BLOB,                                 -- which of the attempts filled the spool; NULL until one has
    size         INTEGER,
    content_hash BLOB,                                 -- keyed hash of the content
    next_at      INTEGER,
    since        INTEGER,
    tries        INTEGER NOT NULL,
    owner        BLOB,                                 -- the process that holds the permit
    updated_at   INTEGER NOT NULL,
    sheet        BLOB NOT NULL,
    UNIQUE (hire, n),
    UNIQUE (hire, file_hash)
) WITHOUT ROWID;
CREATE INDEX documents_due ON documents (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX documents_state ON documents (state);

-- The files until they are sent: encrypted chunks of one attempt to take them.
CREATE TABLE spool (
    document BLOB NOT NULL REFERENCES documents (id),
    fill     BLOB NOT NULL,
    n        INTEGER NOT NULL,
    chunk    BLOB NOT NULL,
    PRIMARY KEY (document, fill, n)
);
