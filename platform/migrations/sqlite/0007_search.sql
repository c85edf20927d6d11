-- Members have a number of their own, by which a full-text index finds them: a part of a name, or a product that few use. Its words
-- are made by the program (members/search.rs). The number stays the same in a copy of the file, as a row's unnamed number need not.
CREATE TABLE numbered (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    connection TEXT NOT NULL,
    id TEXT NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT NOT NULL,
    present BIGINT NOT NULL,
    what TEXT NOT NULL,
    -- The instant of the run that made this row.
    at BIGINT NOT NULL,
    first_seen BIGINT NOT NULL,
    hash BLOB NOT NULL,
    core BLOB NOT NULL,
    record TEXT NOT NULL,
    sort TEXT NOT NULL,
    search TEXT NOT NULL,
    status TEXT,
    kind TEXT,
    affiliation TEXT,
    last_seen BIGINT,
    uses TEXT NOT NULL
);
INSERT INTO numbered (connection, id, since, until, present, what, at, first_seen, hash, core, record, sort, search, status, kind, affiliation,
        last_seen, uses)
    SELECT connection, id, since, until, present, what, at, first_seen, hash, core, record, sort, search, status, kind, affiliation,
        last_seen, uses FROM members ORDER BY connection, id, since;
-- To drop a table that is not empty takes as much memory as it has pages.
DELETE FROM members;
DROP TABLE members;
ALTER TABLE numbered RENAME TO members;
CREATE UNIQUE INDEX members_by_id ON members (connection, id, since);
CREATE INDEX members_now ON members (connection, until, present, sort, id, last_seen, status, kind, affiliation, uses, search);
CREATE INDEX members_changes ON members (connection, since, id, what);
CREATE INDEX members_status ON members (connection, until, present, status, sort, id) WHERE status <> 'active';
CREATE INDEX members_kind ON members (connection, until, present, kind, sort, id) WHERE kind <> 'person';
CREATE INDEX members_affiliation ON members (connection, until, present, affiliation, sort, id) WHERE affiliation <> 'managed';

-- It holds words and numbers, and no text.
CREATE VIRTUAL TABLE members_found USING fts5(words, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE TRIGGER members_lost AFTER DELETE ON members BEGIN
    DELETE FROM members_found WHERE rowid = old.place;
END;
-- It has up to 8 parts before they are merged: less work than with 4, and no long step, as with 16.
INSERT INTO members_found (members_found, rank) VALUES ('automerge', 8);
-- Members that are not in it yet: those after a number, up to another.
CREATE TABLE unsearched (connection TEXT NOT NULL, after BIGINT NOT NULL, up_to BIGINT NOT NULL);
INSERT INTO unsearched (connection, after, up_to)
    SELECT connection, min(place) - 1, max(place) FROM members GROUP BY connection;
CREATE TRIGGER unsearched_lost AFTER DELETE ON connections BEGIN
    DELETE FROM unsearched WHERE connection = old.id;
END;
