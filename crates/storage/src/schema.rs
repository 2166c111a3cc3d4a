//! The store's tables. Steps are appended, never changed, once released.
//!
//! Digests are text (`sha256:…`), times are seconds since 1970.

pub(crate) const COMPONENT: &str = "storage";

pub(crate) const STEPS: &[&str] = &["
CREATE TABLE blobs (
    digest      TEXT PRIMARY KEY,
    size        INTEGER NOT NULL,
    stored      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE layers (
    diff_id     TEXT PRIMARY KEY,
    size        INTEGER NOT NULL,           -- bytes in regular files
    entries     INTEGER NOT NULL,           -- files, directories and so on
    opaque      INTEGER NOT NULL,           -- hides everything below it
    stored      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE images (
    id          TEXT PRIMARY KEY,           -- the configuration's digest
    manifest    TEXT,
    os          TEXT NOT NULL,
    architecture TEXT NOT NULL,
    variant     TEXT,
    created     INTEGER NOT NULL,           -- as the configuration says
    size        INTEGER NOT NULL,           -- sum of the layers' sizes
    labels      TEXT NOT NULL,              -- a JSON object
    removed     INTEGER NOT NULL,           -- only snapshots keep it
    stored      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE image_layers (
    image       TEXT NOT NULL REFERENCES images ON DELETE CASCADE,
    position    INTEGER NOT NULL,           -- 0 is the lowest
    diff_id     TEXT NOT NULL REFERENCES layers,
    chain_id    TEXT NOT NULL,
    blob        TEXT,                       -- as the manifest names it
    PRIMARY KEY (image, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX image_layers_by_layer ON image_layers (diff_id);
CREATE INDEX image_layers_by_chain ON image_layers (chain_id);

CREATE TABLE image_blobs (
    image       TEXT NOT NULL REFERENCES images ON DELETE CASCADE,
    digest      TEXT NOT NULL REFERENCES blobs,
    PRIMARY KEY (image, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX image_blobs_by_blob ON image_blobs (digest);

CREATE TABLE image_references (
    reference   TEXT PRIMARY KEY,           -- canonical, with a tag or a digest
    image       TEXT NOT NULL REFERENCES images ON DELETE CASCADE,
    tagged      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX image_references_by_image ON image_references (image);

CREATE TABLE snapshots (
    container   TEXT PRIMARY KEY,
    image       TEXT NOT NULL REFERENCES images
) STRICT, WITHOUT ROWID;
CREATE INDEX snapshots_by_image ON snapshots (image);
"];
