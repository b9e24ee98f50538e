ALTER TABLE hires ADD COLUMN candidate_hash bytea;      -- keyed hash of kind/account/candidate
ALTER TABLE hires ADD COLUMN audit_at bigint;           -- when a created hire is looked up once more
CREATE INDEX hires_candidate ON hires (candidate_hash) WHERE candidate_hash IS NOT NULL;
CREATE INDEX hires_audit ON hires (audit_at) WHERE audit_at IS NOT NULL;

-- Hires that the ATS took back before anything was heard of them.
CREATE TABLE unhired (
    key_hash bytea PRIMARY KEY,
    at       bigint,                                    -- when, by the ATS; NULL if it did not say
    seen_at  bigint NOT NULL
);
CREATE INDEX unhired_seen ON unhired (seen_at);

-- Candidates who are no longer there, and those whom they became: keyed hashes.
CREATE TABLE merged (
    gone bytea PRIMARY KEY,
    kept bytea NOT NULL,
    at   bigint NOT NULL
);
CREATE INDEX merged_kept ON merged (kept);
