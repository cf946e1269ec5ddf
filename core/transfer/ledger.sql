-- The ledger: the only truth about a run. It lies in the target, so that every
-- chunk of rows and the line that speaks of it are committed together.
--
-- No chunk's transaction writes or locks the run's own row: the coordinator's
-- heartbeat lives there, and must never wait for a chunk.

CREATE SCHEMA mudanza;

COMMENT ON SCHEMA mudanza IS 'Mudanza''s ledger and quarantine';

CREATE TABLE mudanza.ledger (
    version    integer     NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Every way from one state of a run to another; '' is a run that is not there yet.
CREATE TABLE mudanza.arrow (
    from_status text NOT NULL,
    to_status   text NOT NULL,
    reason      text NOT NULL,
    PRIMARY KEY (from_status, to_status)
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
    status          text        NOT NULL,
    exit_code       integer,
    version         text        NOT NULL,
    started_by      text        NOT NULL,
    started_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at     timestamptz,
    -- who coordinates it, since which epoch, and until when without a heartbeat
    epoch           bigint      NOT NULL DEFAULT 0,
    coordinator     uuid,
    lease_until     timestamptz,
    -- how it goes on, changed while it does
    chunk_rows      integer     NOT NULL CHECK (chunk_rows > 0),
    chunk_bytes     bigint      NOT NULL CHECK (chunk_bytes > 0),
    rows_per_second double precision CHECK (rows_per_second > 0),
    load_max        integer     CHECK (load_max > 0)
);

CREATE UNIQUE INDEX run_of_schema ON mudanza.run (target_schema) WHERE status <> 'replaced';

-- The history of a run: one row per arrow that it went along.
CREATE TABLE mudanza.step (
    run         uuid        NOT NULL REFERENCES mudanza.run,
    step        integer     NOT NULL,
    from_status text        NOT NULL,
    to_status   text        NOT NULL,
    detail      text        NOT NULL DEFAULT '',
    gone_by     text        NOT NULL,
    gone_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run, step),
    FOREIGN KEY (from_status, to_status) REFERENCES mudanza.arrow
);

-- What people ask of a run. The coordinator answers between two chunks.
CREATE TABLE mudanza.request (
    request     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run         uuid        NOT NULL REFERENCES mudanza.run,
    kind        text        NOT NULL CHECK (kind IN ('pause', 'resume', 'cancel', 'throttle', 'chunk')),
    argument    text        NOT NULL DEFAULT '{}',
    note        text        NOT NULL DEFAULT '',
    asked_by    text        NOT NULL,
    asked_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    answer      text        CHECK (answer IN ('granted', 'refused')),
    answered_at timestamptz
);

-- One row per process that takes part. Without a heartbeat until lease_until it
-- counts as dead, and what it holds is handed over.
CREATE TABLE mudanza.member (
    member       uuid        PRIMARY KEY,
    run          uuid        NOT NULL,
    host         text        NOT NULL,
    pid          integer     NOT NULL,
    account      text        NOT NULL,
    copies       boolean     NOT NULL,   -- false: it only coordinates, or waits to
    joined_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    lease_until  timestamptz NOT NULL,
    beat_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    slowest_beat double precision NOT NULL DEFAULT 0,  -- seconds
    waits_for    text        NOT NULL DEFAULT '',      -- why it does not copy just now
    left_at      timestamptz,
    left_why     text
);

CREATE INDEX member_of_run ON mudanza.member (run) WHERE left_at IS NULL;

-- The server's sessions of each member, to end those that the dead leave behind.
CREATE TABLE mudanza.session (
    member        uuid        NOT NULL,
    backend_pid   integer     NOT NULL,
    backend_start timestamptz NOT NULL,
    PRIMARY KEY (member, backend_pid, backend_start)
);

-- One row per range of a table's keys: lo < key <= hi. done_to is the watermark:
-- all rows up to it are in the target or in quarantine. Who owns the range holds
-- its token; whoever hands it over raises the token, and with the old one nothing
-- can be committed any more.
CREATE TABLE mudanza.range (
    run              uuid        NOT NULL REFERENCES mudanza.run,
    range            integer     NOT NULL,
    table_number     integer     NOT NULL,
    table_rows       bigint      NOT NULL,
    source_name      text        NOT NULL,
    target_name      text        NOT NULL,
    lo               bytea,
    hi               bytea,
    done_to          bytea,
    finished         boolean     NOT NULL DEFAULT false,
    owner            uuid,
    token            bigint      NOT NULL DEFAULT 0,
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
    bytes            bigint      NOT NULL,  -- of the tuples that were sent
    path             text        NOT NULL CHECK (path IN ('arrow', 'exact')),
    member           uuid        NOT NULL,
    committed_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run, range, chunk)
);

-- Rows that must stand aside for an earlier one: equal keys once converted.
CREATE TABLE mudanza.collision (
    run          uuid    NOT NULL,
    table_number integer NOT NULL,
    source_key   bytea   NOT NULL,
    PRIMARY KEY (run, table_number, source_key)
);

-- One row per schema object of the source. What is still to be built is owned and
-- fenced like a range; "added" is a foreign key whose rows are not yet looked at.
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
    added      boolean NOT NULL DEFAULT false,
    owner      uuid,
    token      bigint  NOT NULL DEFAULT 0,
    PRIMARY KEY (run, object)
);

-- One row per source row that the target cannot hold; "row" is all of it, packed.
CREATE TABLE mudanza.quarantine (
    run            uuid        NOT NULL,
    range          integer     NOT NULL,
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

-- One row per value that arrived as another one, or as NULL, because the plan says so.
CREATE TABLE mudanza.altered_cell (
    run           uuid    NOT NULL,
    table_number  integer NOT NULL,
    source_key    bytea   NOT NULL,
    column_name   text    NOT NULL,
    storage_class text    NOT NULL,
    raw           bytea   NOT NULL,
    rule          text    NOT NULL,
    reason        text    NOT NULL,
    PRIMARY KEY (run, table_number, source_key, column_name)
);

-- One row per replay of the quarantine, with the plan as it was before.
CREATE TABLE mudanza.replay (
    run           uuid        NOT NULL REFERENCES mudanza.run,
    replay        integer     NOT NULL,
    plan          text        NOT NULL,
    plan_document text        NOT NULL,
    plan_sha256   text        NOT NULL,
    exit_code     integer,
    changes       text        NOT NULL,  -- of rules and types, as JSON
    rows_arrived  bigint      NOT NULL,
    rows_left     bigint      NOT NULL,
    replayed_by   text        NOT NULL,
    replayed_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run, replay)
);

-- One row per row that left the quarantine, as it was in it; "cells" is JSON.
CREATE TABLE mudanza.quarantine_past (
    run            uuid        NOT NULL,
    replay         integer     NOT NULL,
    range          integer     NOT NULL,
    table_number   integer     NOT NULL,
    source_key     bytea       NOT NULL,
    key_shown      text        NOT NULL,
    reason         text        NOT NULL,
    detail         text        NOT NULL,
    row            bytea       NOT NULL,
    cells          text        NOT NULL,
    quarantined_at timestamptz NOT NULL,
    PRIMARY KEY (run, table_number, source_key, replay),
    FOREIGN KEY (run, replay) REFERENCES mudanza.replay
);

-- One row per value that a person put in a source value's place. The last one of a
-- cell holds. Nothing of it is ever changed or removed.
CREATE TABLE mudanza.quarantine_edit (
    edit         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run          uuid        NOT NULL REFERENCES mudanza.run,
    table_number integer     NOT NULL,
    source_key   bytea       NOT NULL,
    column_name  text        NOT NULL,
    before_class text        NOT NULL,
    before_raw   bytea       NOT NULL,
    after_class  text        NOT NULL,
    after_raw    bytea       NOT NULL,
    after_packed bytea       NOT NULL,
    reason       text        NOT NULL CHECK (reason <> ''),
    edited_by    text        NOT NULL,
    edited_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX edit_of_cell ON mudanza.quarantine_edit (run, table_number, source_key, column_name);

CREATE FUNCTION mudanza.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'mudanza.% is only ever added to', TG_TABLE_NAME;
END $$;

CREATE TRIGGER kept BEFORE UPDATE OR DELETE OR TRUNCATE ON mudanza.quarantine_edit
    FOR EACH STATEMENT EXECUTE FUNCTION mudanza.refuse_change();

-- Members that count as dead: silent for too long, or without any session left.
CREATE VIEW mudanza.lost_member AS
SELECT m.run, m.member FROM mudanza.member m
WHERE m.left_at IS NULL AND (
    m.lease_until <= clock_timestamp()
    OR (EXISTS (SELECT FROM mudanza.session s WHERE s.member = m.member)
        AND NOT EXISTS (
            SELECT FROM mudanza.session s JOIN pg_stat_activity a
            ON a.pid = s.backend_pid
            -- of another role's session only the pid is shown
            AND (a.backend_start = s.backend_start OR a.backend_start IS NULL)
            WHERE s.member = m.member
        ))
);
