//! The checks: what an engine does on this host, seen from the host, from the
//! container and through the client. An error is what one found wrong.

mod devices;
mod exits;
mod first;
mod layers;
mod leftovers;
mod limits;
mod network;
mod processes;
mod restart;

use super::engine::Engine;
use anyhow::Result;

type Unaided = fn() -> Result<()>;
type Shared = fn(&Engine) -> Result<()>;
type Exclusive = fn(&mut Engine) -> Result<()>;

/// On a machine on which no engine ever ran.
pub(super) const FIRST: &[(&str, Unaided)] = &[
    ("stock-host", first::stock_host),
    ("first-run", first::first_run),
];

/// On a machine whose first process is systemd.
pub(super) const SYSTEMD: (&str, Unaided) = ("systemd", first::systemd);

/// On an engine that others use as well: each has names and ports of its own.
pub(super) const TOGETHER: &[(&str, Shared)] = &[
    ("apparmor", first::apparmor),
    ("limits-seen-inside", limits::seen_inside),
    ("limits-unset", limits::unset),
    ("out-of-memory", limits::out_of_memory),
    ("fork-bomb", limits::fork_bomb),
    ("cgroup-namespace", limits::cgroup_namespace),
    ("cgroup-read-only", limits::cgroup_read_only),
    ("cgroup-delegation", limits::delegation),
    ("device-denied", devices::denied),
    ("device-allowed", devices::allowed),
    ("device-given", devices::given),
    ("published-port", network::published_port),
    ("port-in-use", network::port_in_use),
    ("between-containers", network::between_containers),
    ("no-network", network::none),
    ("host-network", network::host),
    ("exit-codes", exits::codes),
    ("stop", exits::stop),
    ("signals", exits::signals),
    ("exec", processes::exec),
    ("terminal", processes::terminal),
    ("input", processes::input),
    ("logs", processes::logs),
    ("image-user", processes::image_user),
    ("many-layers", layers::many),
    ("most-layers", layers::most),
];

/// On an engine that nobody else uses.
pub(super) const ALONE: &[(&str, Exclusive)] = &[
    ("engine-killed", restart::killed),
    ("engine-stopped", restart::stopped),
    ("nothing-left", leftovers::none),
];
