-- The ledger of the platform. Instants are milliseconds since 1970; JSON is text; yes and no are 1 and 0.
-- The same tables as in migrations/sqlite, so that one set of queries serves both.

CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE tenants (id TEXT PRIMARY KEY, created BIGINT NOT NULL);

CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    hash BYTEA NOT NULL UNIQUE,
    role TEXT NOT NULL,
    tenant TEXT,
    created BIGINT NOT NULL,
    expires BIGINT,
    revoked BIGINT
);

-- Installed builds of connectors. One build of a connector is active; new connections use it.
CREATE TABLE connectors (
    digest TEXT PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    publisher TEXT,
    component BYTEA NOT NULL,
    -- What the operator approved: {"origins": […], "endpoints": ["GET /…", …]}
    approved TEXT NOT NULL,
    state TEXT NOT NULL,
    changes TEXT,
    installed BIGINT NOT NULL
);
CREATE INDEX connectors_by_id ON connectors (id, state);

CREATE TABLE connections (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    connector TEXT NOT NULL,
    -- The build that it uses, and why it does not use the active one yet.
    digest TEXT NOT NULL,
    upgrade TEXT,
    name TEXT NOT NULL,
    settings TEXT NOT NULL,
    account TEXT NOT NULL,
    account_name TEXT NOT NULL,
    upstream TEXT,
    grants TEXT NOT NULL,
    every_hours BIGINT NOT NULL,
    paused BIGINT NOT NULL,
    state TEXT NOT NULL,
    -- Why a person must act, as the failure of the last run.
    failure TEXT,
    failures BIGINT NOT NULL,
    credential_expires BIGINT,
    secret_version BIGINT NOT NULL,
    next_due BIGINT,
    -- The last run that was asked for, and the last whole one.
    runs BIGINT NOT NULL,
    complete BIGINT NOT NULL,
    created BIGINT NOT NULL
);
CREATE UNIQUE INDEX connections_of_tenant ON connections (tenant, connector, account);
CREATE INDEX connections_due ON connections (next_due) WHERE paused = 0;

-- Secrets of connections, sealed. The data key is wrapped by the key outside of the database.
CREATE TABLE secrets (
    connection TEXT NOT NULL,
    setting TEXT NOT NULL,
    version BIGINT NOT NULL,
    wrapped BYTEA NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (connection, setting)
);

CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    connection TEXT NOT NULL,
    -- Its number among the runs of the connection, from 1.
    seq BIGINT NOT NULL,
    due BIGINT NOT NULL,
    state TEXT NOT NULL,
    -- Raised by each claim: whoever has a lower one writes nothing more.
    epoch BIGINT NOT NULL,
    -- The process that has it, and until when.
    held TEXT,
    held_until BIGINT,
    -- Pages delivered, in both sweeps; the sweep; where the next page begins.
    page BIGINT NOT NULL,
    sweep BIGINT NOT NULL,
    cursor TEXT,
    done BIGINT NOT NULL,
    counts TEXT NOT NULL,
    notes TEXT NOT NULL,
    provenance TEXT,
    requests BIGINT NOT NULL,
    retries BIGINT NOT NULL,
    waited_ms BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    resumes_at BIGINT,
    error TEXT,
    stop BIGINT NOT NULL,
    -- Usage: 0 is not told, 1 is to be collected, 2 is told.
    usage BIGINT NOT NULL DEFAULT 0,
    started BIGINT NOT NULL,
    ended BIGINT
);
CREATE UNIQUE INDEX runs_of_connection ON runs (connection, seq);
CREATE UNIQUE INDEX runs_due ON runs (connection, due);
CREATE INDEX runs_open ON runs (state) WHERE state IN ('open', 'waiting');

-- Marks of the pages that an open run delivered, for the guard of a run that goes on.
CREATE TABLE pages (
    run TEXT NOT NULL,
    page BIGINT NOT NULL,
    next TEXT,
    marks BYTEA NOT NULL,
    restarted BIGINT NOT NULL,
    PRIMARY KEY (run, page)
);

-- Members that an open run delivered, in the order of its pages; in a further sweep, those that came again
-- are here again, and the last sweep counts. Of a member that did not change since the last whole run, only the id is kept.
CREATE TABLE staged (
    run TEXT NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    sweep BIGINT NOT NULL,
    what TEXT,
    hash BYTEA,
    core BYTEA,
    record TEXT,
    sort TEXT COLLATE "C",
    search TEXT,
    status TEXT,
    kind TEXT,
    affiliation TEXT,
    last_seen BIGINT,
    uses TEXT
);
CREATE INDEX staged_of_run ON staged (run, id);

-- Members over time. A row says what was so from one whole run up to another; `until` of what is so now is the largest number.
CREATE TABLE members (
    connection TEXT NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT NOT NULL,
    present BIGINT NOT NULL,
    what TEXT NOT NULL,
    -- The instant of the run that made this row.
    at BIGINT NOT NULL,
    first_seen BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    core BYTEA NOT NULL,
    record TEXT NOT NULL,
    sort TEXT COLLATE "C" NOT NULL,
    search TEXT NOT NULL,
    status TEXT,
    kind TEXT,
    affiliation TEXT,
    last_seen BIGINT,
    uses TEXT NOT NULL,
    PRIMARY KEY (connection, id, since)
);
-- In the order of a list, with all that it is filtered by.
CREATE INDEX members_now ON members (connection, until, present, sort, id, last_seen, status, kind, affiliation, uses, search);
CREATE INDEX members_changes ON members (connection, since, id, what);

CREATE INDEX runs_usage ON runs (usage) WHERE usage = 1;

-- Usage by run, where it was told.
CREATE TABLE seats (
    connection TEXT NOT NULL,
    seq BIGINT NOT NULL,
    place BIGINT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (connection, seq, place)
);

CREATE TABLE audit (
    at BIGINT NOT NULL,
    tenant TEXT,
    actor TEXT NOT NULL,
    what TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT
);
CREATE INDEX audit_of_tenant ON audit (tenant, at);
