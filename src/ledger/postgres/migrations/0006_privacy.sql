-- When somebody asked that the person be erased, while the hire was on its way: it is erased as soon as it has ended.
ALTER TABLE hires ADD COLUMN erase_requested bigint;
CREATE INDEX hires_erase ON hires (erase_requested) WHERE erase_requested IS NOT NULL;
CREATE INDEX hires_employee ON hires (employee) WHERE employee IS NOT NULL;

-- Who has looked at a hire: one line for each hour.
CREATE TABLE accesses (
    hire     uuid NOT NULL REFERENCES hires (id),
    operator text NOT NULL,
    what     text NOT NULL,                             -- opened, exported
    hour     bigint NOT NULL,                           -- its beginning
    PRIMARY KEY (hire, operator, what, hour)
);
CREATE INDEX accesses_hour ON accesses (hour);
