-- When somebody asked that the person be erased, while the hire was on its way: it is erased as soon as it has ended.
ALTER TABLE hires ADD COLUMN erase_requested INTEGER;
CREATE INDEX hires_erase ON hires (erase_requested) WHERE erase_requested IS NOT NULL;
CREATE INDEX hires_employee ON hires (employee) WHERE employee IS NOT NULL;

-- Who has looked at a hire: one line for each hour.
CREATE TABLE accesses (
    hire     BLOB NOT NULL REFERENCES hires (id),
    operator TEXT NOT NULL,
    what     TEXT NOT NULL,                            -- opened, exported
    hour     INTEGER NOT NULL,                         -- its beginning
    PRIMARY KEY (hire, operator, what, hour)
) WITHOUT ROWID;
CREATE INDEX accesses_hour ON accesses (hour);
