-- The ledger: the only truth about a run. It lies in the target, so that every
-- chunk of rows and the line that speaks of it are committed together.

CREATE SCHEMA mudanza;

COMMENT ON SCHEMA mudanza IS 'Mudanza''s ledger and quarantine';

CREATE TABLE mudanza.ledger (
    version    integer     NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- One row per run. A target schema has at most one run that counts.
CREATE TABLE mudanza.run (
    run             uuid        PRIMARY KEY,
    target_schema   text        NOT NULL,
    source_path     text        NOT NULL,
    snapshot_path   text        NOT NULL,
    snapshot_sha256 text        NOT NULL,
    snapshot_bytes  bigint      NOT NULL,
    plan            text        NOT NULL,  -- every value of the plan, as JSON
    plan_document   text        NOT NULL,  -- the plan as a person reads it, TOML
    plan_sha256     text        NOT NULL,  -- of plan_document
    status          text        NOT NULL CHECK (status IN ('copying', 'building', 'complete', 'replaced')),
    exit_code       integer,
    version         text        NOT NULL,
    started_by      text        NOT NULL,
    started_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at     timestamptz
);

CREATE UNIQUE INDEX run_of_schema ON mudanza.run (target_schema) WHERE status <> 'replaced';

-- One row per range of a table's keys. done_to is the watermark: all rows up to
-- it are in the target or in quarantine.
CREATE TABLE mudanza.range (
    run              uuid        NOT NULL REFERENCES mudanza.run,
    range            integer     NOT NULL,
    table_number     integer     NOT NULL,
    source_name      text        NOT NULL,
    target_name      text        NOT NULL,
    done_to          bytea,
    finished         boolean     NOT NULL DEFAULT false,
    chunks           integer     NOT NULL DEFAULT 0,
    rows_read        bigint      NOT NULL DEFAULT 0,
    rows_written     bigint      NOT NULL DEFAULT 0,
    rows_quarantined bigint      NOT NULL DEFAULT 0,
    started_at       timestamptz,
    finished_at      timestamptz,
    PRIMARY KEY (run, range)
);

-- One row per committed chunk: rows with lo < key <= hi.
CREATE TABLE mudanza.chunk (
    run              uuid        NOT NULL,
    range            integer     NOT NULL,
    chunk            integer     NOT NULL,
    lo               bytea,
    hi               bytea,
    rows_read        bigint      NOT NULL,
    rows_written     bigint      NOT NULL,
    rows_quarantined bigint      NOT NULL,
    bytes            bigint      NOT NULL,
    committed_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run, range, chunk)
);

-- One row per schema object of the source.
CREATE TABLE mudanza.object (
    run        uuid    NOT NULL REFERENCES mudanza.run,
    object     integer NOT NULL,
    kind       text    NOT NULL,
    name       text    NOT NULL,
    table_name text    NOT NULL,
    fate       text    NOT NULL CHECK (fate IN ('planned', 'carried', 'rewritten', 'not_carried')),
    reason     text    NOT NULL DEFAULT '',
    facts      text    NOT NULL DEFAULT '{}',
    counts     boolean NOT NULL DEFAULT false,
    original   text    NOT NULL DEFAULT '',
    sqlstate   text,
    seconds    double precision,
    PRIMARY KEY (run, object)
);

-- One row per source row that the target cannot hold; "row" is all of it, packed.
CREATE TABLE mudanza.quarantine (
    run            uuid        NOT NULL REFERENCES mudanza.run,
    table_number   integer     NOT NULL,
    source_key     bytea       NOT NULL,
    key_shown      text        NOT NULL,
    reason         text        NOT NULL,
    detail         text        NOT NULL DEFAULT '',
    row            bytea       NOT NULL,
    quarantined_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run, table_number, source_key)
);

-- One row per value that is to blame.
CREATE TABLE mudanza.quarantine_cell (
    run           uuid    NOT NULL,
    table_number  integer NOT NULL,
    source_key    bytea   NOT NULL,
    column_name   text    NOT NULL,
    storage_class text    NOT NULL,
    raw           bytea   NOT NULL,
    rule          text    NOT NULL,
    reason        text    NOT NULL,
    PRIMARY KEY (run, table_number, source_key, column_name),
    FOREIGN KEY (run, table_number, source_key) REFERENCES mudanza.quarantine ON DELETE CASCADE
);
