//! The background thread for what a stop must not wait for: deleting interfaces
//! (31 ms each) and forgetting old UDP flows.
//!
//! A veth pair ends with its container's namespace, some 40 ms after the last
//! process and descriptor. The thread waits for that and deletes only what is
//! still there, all at once. What is not done when the engine dies is found by
//! the next reconciliation.

use std::io;
use std::net::Ipv4Addr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use rustix::io::Errno;

use crate::conntrack::{self, Stale};
use crate::netlink::{Batch, Failure, Socket};
use crate::{PortBinding, Protocol, route};

/// How long an interface has to vanish by itself.
const GRACE: Duration = Duration::from_millis(300);
/// Interfaces on their way out are put in a group of this number plus the
/// bridge's index, which no other engine's can be.
const GROUP: u32 = 0x7461_0000;

/// The group for one bridge's interfaces on their way out.
pub(crate) fn group(bridge: u32) -> u32 {
    GROUP.wrapping_add(bridge)
}

#[derive(Debug)]
enum Job {
    Delete {
        name: String,
        due: Instant,
    },
    Published {
        ports: Vec<u16>,
        container: Ipv4Addr,
    },
    Withdrawn {
        container: Ipv4Addr,
    },
}

/// The handle to the thread, which ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Reaper(Mutex<Option<(Sender<Job>, JoinHandle<()>)>>);

impl Reaper {
    /// Starts the thread. The sockets belong to the host's namespace.
    pub(crate) fn start(bridge: u32, route: Socket, netfilter: Socket) -> io::Result<Self> {
        let (jobs, receiver) = channel();
        let mut worker = Worker {
            group: group(bridge),
            route,
            netfilter,
        };
        let thread = Builder::new()
            .name("network-reaper".to_owned())
            .stack_size(128 * 1024)
            .spawn(move || worker.run(&receiver))?;
        Ok(Self(Mutex::new(Some((jobs, thread)))))
    }

    /// Sees to it that an interface goes away soon.
    pub(crate) fn delete(&self, name: &str) {
        self.send(Job::Delete {
            name: name.to_owned(),
            due: Instant::now() + GRACE,
        });
    }

    /// Forgets flows that went elsewhere before these ports were published.
    pub(crate) fn published(&self, container: Ipv4Addr, bindings: &[PortBinding]) {
        let ports = udp_ports(bindings);
        if !ports.is_empty() {
            self.send(Job::Published { ports, container });
        }
    }

    /// Forgets flows to a container that is gone.
    pub(crate) fn withdrawn(&self, container: Ipv4Addr, bindings: &[PortBinding]) {
        if !udp_ports(bindings).is_empty() {
            self.send(Job::Withdrawn { container });
        }
    }

    fn send(&self, job: Job) {
        let worker = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = worker
            .as_ref()
            .is_some_and(|(jobs, _)| jobs.send(job).is_ok());
        if !sent {
            tracing::error!("the network's background thread has ended");
        }
    }

    /// Does everything that is waiting, without any further delay, and ends.
    pub(crate) fn finish(&self) {
        let worker = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some((jobs, thread)) = worker else {
            return;
        };
        drop(jobs);
        if thread.join().is_err() {
            tracing::error!("the network's background thread panicked");
        }
    }
}

fn udp_ports(bindings: &[PortBinding]) -> Vec<u16> {
    let udp = bindings
        .iter()
        .filter(|binding| binding.protocol == Protocol::Udp);
    udp.map(|binding| binding.host_port).collect()
}

struct Worker {
    group: u32,
    route: Socket,
    netfilter: Socket,
}

impl Worker {
    fn run(&mut self, jobs: &Receiver<Job>) {
        let mut waiting: Vec<(String, Instant)> = Vec::new();
        let mut open = true;
        while open || !waiting.is_empty() {
            let now = Instant::now();
            let next = waiting
                .iter()
                .map(|(_, due)| due.saturating_duration_since(now))
                .min();
            let received = match next {
                _ if !open => Err(RecvTimeoutError::Disconnected),
                Some(delay) => jobs.recv_timeout(delay),
                None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            let mut stale = Vec::new();
            match received {
                Ok(job) => {
                    for job in std::iter::once(job).chain(jobs.try_iter()) {
                        match job {
                            Job::Delete { name, due } => waiting.push((name, due)),
                            Job::Withdrawn { container } => {
                                stale.push(Stale::Withdrawn { container })
                            }
                            Job::Published { ports, container } => {
                                let local = self.local_addresses();
                                stale.push(Stale::Published {
                                    ports,
                                    container,
                                    local,
                                });
                            }
                        }
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => open = false,
            }
            self.forget(&stale);
            let now = Instant::now();
            let (due, later) = waiting
                .into_iter()
                .partition(|(_, due)| !open || *due <= now);
            waiting = later;
            self.delete(due);
        }
    }

    /// Deletes those of the interfaces that are still there, in one step.
    fn delete(&mut self, due: Vec<(String, Instant)>) {
        if due.is_empty() {
            return;
        }
        let names: Vec<_> = due.iter().map(|(name, _)| name.as_str()).collect();
        if let Err(failure) = delete_links(&mut self.route, self.group, &names) {
            tracing::warn!(error = %failure, errno = %failure.errno, "interfaces stay behind");
        }
    }

    fn forget(&mut self, stale: &[Stale]) {
        if stale.is_empty() {
            return;
        }
        if let Err(failure) = conntrack::forget(&mut self.netfilter, stale) {
            tracing::warn!(error = %failure, errno = %failure.errno, "old UDP flows stay");
        }
    }

    fn local_addresses(&mut self) -> Vec<Ipv4Addr> {
        let addresses = route::list_addresses(&mut self.route).unwrap_or_default();
        addresses
            .into_iter()
            .map(|found| found.address.addr())
            .collect()
    }
}

/// Deletes interfaces by way of a group, so that the kernel's grace periods are
/// waited for once. Those that do not exist are skipped.
pub(crate) fn delete_links(route: &mut Socket, group: u32, names: &[&str]) -> Result<(), Failure> {
    let mut found = false;
    for name in names {
        let mut batch = Batch::default();
        route::put_in_group(&mut batch, name, group);
        match route.execute(&mut batch) {
            Ok(()) => found = true,
            Err(Failure {
                errno: Errno::NODEV,
                ..
            }) => {}
            Err(failure) => return Err(failure),
        }
    }
    if !found {
        return Ok(());
    }
    let mut batch = Batch::default();
    route::delete_group(&mut batch, group);
    match route.execute(&mut batch) {
        // They vanished with their namespaces in between.
        Err(Failure {
            errno: Errno::NODEV,
            ..
        }) => Ok(()),
        other => other,
    }
}
