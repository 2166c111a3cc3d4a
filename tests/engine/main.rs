//! End-to-end tests, by the API's nouns. Those under `engine` are about what
//! only ours promises; all the others hold of `dockerd` too
//! (`TARE_TEST_AGAINST=docker`).

mod containers;
mod docker_client;
mod engine;

mod exec;
mod exit_codes;
mod images;
mod isolation;
mod limits;
mod networks;
mod ports;
mod process;
mod pull;
mod system;
