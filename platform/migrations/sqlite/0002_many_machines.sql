-- Many processes on one database. A run is held until an instant, which the process that has it moves on; the instants are the database's.

-- What an earlier version held has no such instant.
UPDATE runs SET held = NULL, epoch = epoch + 1 WHERE held IS NOT NULL AND state = 'open';

-- A connection has one run that is open or waits, however often one is asked for.
CREATE UNIQUE INDEX runs_one_open ON runs (connection) WHERE state IN ('open', 'waiting');
CREATE INDEX runs_held ON runs (held) WHERE held IS NOT NULL;

-- The pace of accounts that several processes keep together: a row is a request of a period, and when its slot comes free. The
-- account is a hash.
CREATE TABLE slots (
    account TEXT NOT NULL,
    place BIGINT NOT NULL,
    free_at BIGINT NOT NULL,
    PRIMARY KEY (account, place)
);
