//! Containers of a real engine object: what no client can bring about, as an
//! engine that dies, a database that fails, a shim that does not answer.

mod crowd;
mod database;
mod exec;
mod restart;
mod world;
