//! Making a process that is to be in a container.
//!
//! Most are copies of the caller, made at once in new namespaces. Where a user
//! namespace is involved and others are joined, no single process can do both:
//! what is the host's is out of reach once one is inside. A process in between
//! then joins, makes the container's process as the caller's child
//! (CLONE_PARENT), hands its descriptor over and ends.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use rustix::io::Errno;
use rustix::process::DumpableBehavior;
use tare_sys::clone::{Child, clone_process, clone_sibling, exit_immediately};
use tare_sys::descriptor;
use tare_sys::namespace::{self, Kinds};
use tare_sys::{SingleThreaded, socket};

use super::end;
use crate::error::Error;
use crate::failure::{Failure, Step};
use crate::handshake::{self, ChildEnd, Heard, ParentEnd};
use crate::process::Streams;

/// Where a process is born.
pub(super) struct Birth<'a> {
    /// Namespaces made by the clone itself.
    pub(super) new: Kinds,
    /// The v2 control group.
    pub(super) group: Option<BorrowedFd<'a>>,
    /// How it gets into namespaces that exist.
    pub(super) way: Way<'a>,
}

/// How a process gets into existing namespaces.
pub(super) enum Way<'a> {
    /// By itself, but for the PID namespace, which one is born into.
    Itself(Option<BorrowedFd<'a>>),
    /// Through a process in between, which does something first.
    Through {
        first: &'a dyn Fn() -> Result<(), Failure>,
        namespaces: Vec<(BorrowedFd<'a>, Kinds)>,
        /// Whether everything is closed that is the caller's, but for what the
        /// program gets beside its streams.
        bare: Option<Vec<RawFd>>,
    },
}

/// Makes the process that will be in the container, and runs `inside` in it.
pub(super) fn spawn(
    proof: SingleThreaded,
    birth: Birth<'_>,
    streams: Streams,
    inside: impl FnOnce(&ChildEnd, Streams) -> Failure,
) -> Result<(Child, ParentEnd), Error> {
    let (parent, child) = handshake::pair().map_err(Error::Handshake)?;
    let group = birth.group;
    match birth.way {
        Way::Itself(pid_namespace) => {
            match clone_into(proof, birth.new, group, pid_namespace)? {
                Some(process) => Ok((process, parent)),
                None => {
                    // It must not hold the parent's end, or it would never
                    // learn of the parent's death.
                    drop(parent);
                    become_it(&child, streams, inside)
                }
            }
        }
        Way::Through {
            first,
            namespaces,
            bare,
        } => {
            let (own, between) = socket::packet_pair().map_err(Error::Handshake)?;
            let Some(middle) = clone_process(proof, Kinds::NONE, None).map_err(Error::Clone)?
            else {
                drop((parent, own));
                let made = first()
                    .and_then(|()| {
                        let Some(mut kept) = bare else {
                            return Ok(());
                        };
                        kept.extend(streams.numbers());
                        kept.extend(
                            namespaces
                                .iter()
                                .map(|(namespace, _)| namespace.as_raw_fd()),
                        );
                        kept.extend([child.number(), between.as_raw_fd()]);
                        close_all_but(proof, &kept)
                    })
                    .and_then(|()| go_through(proof, &namespaces))
                    .and_then(|()| {
                        clone_sibling(proof, birth.new, group)
                            .map_err(|error| Failure::new(Step::Namespace, "container's", error))
                    });
                match made {
                    Ok(None) => {
                        drop(between);
                        become_it(&child, streams, inside)
                    }
                    Ok(Some(process)) => {
                        let pid = process.pid.to_ne_bytes();
                        let pidfd = process.pidfd.as_fd();
                        let _ = socket::send(between.as_fd(), &pid, &[pidfd]);
                    }
                    Err(failure) => child.fail(&failure),
                }
                exit_immediately(0);
            };
            drop((between, child));
            let received = receive(&own);
            end(&middle.pidfd);
            match received {
                Some(process) => Ok((process, parent)),
                None => match parent.hear().map_err(Error::Handshake)? {
                    Heard::Failed(failure) => Err(Error::Process(failure)),
                    _ => Err(Error::Died),
                },
            }
        }
    }
}

/// Closes what is the caller's. Undumpable as the process is, somebody in the
/// container who has CAP_SYS_PTRACE may look at its descriptors, and one of a
/// directory of the host would be a way out (CVE-2016-9962).
fn close_all_but(proof: SingleThreaded, kept: &[RawFd]) -> Result<(), Failure> {
    match descriptor::close_all_but(proof, kept) {
        // Before Linux 5.9: they go with the program's execution.
        Err(error) if error.raw_os_error() == Some(Errno::NOSYS.raw_os_error()) => Ok(()),
        result => result.map_err(|error| {
            Failure::new(Step::Execute, "closing the caller's descriptors", error)
        }),
    }
}

/// Clones; only children are affected by a move into a PID namespace, so the
/// caller itself stays what it is and comes back at once.
fn clone_into(
    proof: SingleThreaded,
    new: Kinds,
    group: Option<BorrowedFd<'_>>,
    pid_namespace: Option<BorrowedFd<'_>>,
) -> Result<Option<Child>, Error> {
    let own = match pid_namespace {
        Some(pid_namespace) => {
            let own = namespace::current(Kinds::PID).map_err(Error::Clone)?;
            namespace::enter(proof, pid_namespace, Kinds::PID).map_err(Error::Clone)?;
            Some(own)
        }
        None => None,
    };
    let cloned = clone_process(proof, new, group);
    if let (Some(own), Ok(Some(_)) | Err(_)) = (own, &cloned) {
        namespace::enter(proof, own.as_fd(), Kinds::PID).map_err(Error::Clone)?;
    }
    cloned.map_err(Error::Clone)
}

/// The copy: never returns.
fn become_it(
    child: &ChildEnd,
    streams: Streams,
    inside: impl FnOnce(&ChildEnd, Streams) -> Failure,
) -> ! {
    // A panic must not unwind into the caller's code, of which this is a
    // second copy.
    let inside = std::panic::AssertUnwindSafe(|| inside(child, streams));
    if let Ok(failure) = std::panic::catch_unwind(inside) {
        child.fail(&failure);
    }
    exit_immediately(1)
}

/// Enters namespaces, of which one may be a user namespace: root enters the
/// others first, as long as it is root; who is not root can do nothing before.
fn go_through(
    proof: SingleThreaded,
    namespaces: &[(BorrowedFd<'_>, Kinds)],
) -> Result<(), Failure> {
    // From here on it may be seen from inside.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|error| Failure::new(Step::Namespace, "closing itself", error))?;
    let is_root = rustix::process::geteuid().is_root();
    let user_last = |(_, kinds): &(BorrowedFd<'_>, Kinds)| kinds.contains(Kinds::USER) == is_root;
    let (late, early): (Vec<_>, Vec<_>) = namespaces.iter().copied().partition(user_last);
    for (namespace, kinds) in early.into_iter().chain(late) {
        let name = kinds.file_name().unwrap_or("container's");
        namespace::enter(proof, namespace, kinds)
            .map_err(|error| Failure::new(Step::Namespace, name, error))?;
    }
    Ok(())
}

fn receive(socket: &OwnedFd) -> Option<Child> {
    let mut buffer = [0; 4];
    let mut received = socket::receive(socket.as_fd(), &mut buffer).ok()?;
    let pidfd = received.descriptors.pop()?;
    (received.length == buffer.len()).then(|| Child {
        pid: i32::from_ne_bytes(buffer),
        pidfd,
    })
}
