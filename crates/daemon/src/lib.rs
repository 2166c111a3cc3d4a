//! Listeners, Engine API routes, hijacked streams and configuration of the engine daemon.
