//! Content store, layers, images, snapshots and the engine's database.
