ALTER TABLE hires ADD COLUMN candidate_hash BLOB;      -- keyed hash of kind/account/candidate
ALTER TABLE hires ADD COLUMN audit_at INTEGER;         -- when a created hire is looked up once more
CREATE INDEX hires_candidate ON hires (candidate_hash) WHERE candidate_hash IS NOT NULL;
CREATE INDEX hires_audit ON hires (audit_at) WHERE audit_at IS NOT NULL;

-- Hires that the ATS took back before anything was heard of them.
CREATE TABLE unhired (
    key_hash BLOB PRIMARY KEY,
    at       INTEGER,                                  -- when, by the ATS; NULL if it did not say
    seen_at  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX unhired_seen ON unhired (seen_at);

-- Candidates who are no longer there, and those whom they became: keyed hashes.
CREATE TABLE merged (
    gone BLOB PRIMARY KEY,
    kept BLOB NOT NULL,
    at   INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX merged_kept ON merged (kept);
