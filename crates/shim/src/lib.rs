//! One container's parent: stdio, log, exit status; outlives the engine.
