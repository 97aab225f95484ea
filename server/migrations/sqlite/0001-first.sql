-- Times are seconds since 1970 in UTC; they date rows for people and never order them.

CREATE TABLE organisation (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- Private keys, sealed by the vault. The place that `sealed` is bound to stands in the same row.
CREATE TABLE scope_key (
    id TEXT PRIMARY KEY,
    organisation TEXT NOT NULL REFERENCES organisation (id),
    scope TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    state TEXT NOT NULL,
    recipient TEXT NOT NULL,
    sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (organisation, scope, epoch)
) STRICT;

CREATE TABLE sign_in_token (
    hash BLOB PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE session (
    hash BLOB PRIMARY KEY,
    actor TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT;

-- The journal of saves, in the order accepted.
CREATE TABLE save (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    stack TEXT NOT NULL,
    description TEXT NOT NULL,
    actor TEXT NOT NULL,
    request_id TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    -- the branch when the save was accepted: its commit cannot be older
    base_commit TEXT,
    commit_id TEXT,
    -- 1 from just before a push until its outcome is known
    push_open INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX save_state ON save (state, seq);

CREATE TABLE save_file (
    save INTEGER NOT NULL REFERENCES save (seq),
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    namespace TEXT,
    chart TEXT,
    marks TEXT NOT NULL,
    path TEXT NOT NULL,
    base_blob TEXT,
    blob TEXT NOT NULL,
    -- sealed text; emptied once the remote has it
    text BLOB NOT NULL,
    PRIMARY KEY (save, position)
) STRICT;

CREATE TABLE save_step (
    save INTEGER NOT NULL REFERENCES save (seq),
    position INTEGER NOT NULL,
    state TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (save, position)
) STRICT;

CREATE TABLE idempotency (
    key TEXT PRIMARY KEY,
    digest BLOB NOT NULL,
    save INTEGER NOT NULL REFERENCES save (seq)
) STRICT;

-- Which file a wrapped data key belongs to.
CREATE TABLE ledger (
    digest BLOB PRIMARY KEY,
    path TEXT NOT NULL
) STRICT;

-- hash = SHA-256(previous hash, record); the first record's previous hash is 32 zero bytes.
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    record TEXT NOT NULL,
    hash BLOB NOT NULL
) STRICT;
