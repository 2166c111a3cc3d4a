//! Device programs of v2 control groups (BPF).

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

const BPF_PROG_LOAD: libc::c_int = 5;
const BPF_PROG_ATTACH: libc::c_int = 8;
const BPF_PROG_DETACH: libc::c_int = 9;
const BPF_PROG_GET_FD_BY_ID: libc::c_int = 13;
const BPF_OBJ_GET_INFO_BY_FD: libc::c_int = 15;
const BPF_PROG_QUERY: libc::c_int = 16;
const BPF_PROG_TYPE_CGROUP_DEVICE: u32 = 15;
const BPF_CGROUP_DEVICE: u32 = 6;
const BPF_F_ALLOW_MULTI: u32 = 2;
const BPF_F_REPLACE: u32 = 4;
/// The most device programs that the kernel lets one group have.
const MAXIMUM_PROGRAMS: usize = 64;
/// The name under which our programs are loaded.
const NAME: [u8; 16] = *b"tare_devices\0\0\0\0";

/// One instruction of extended BPF, in the kernel's layout.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// Operation.
    pub code: u8,
    /// Destination register in the low four bits, source in the high four.
    pub registers: u8,
    /// Offset of a jump or of a memory access.
    pub offset: i16,
    /// Constant.
    pub immediate: i32,
}

/// Loads a device program.
///
/// # Errors
/// The errno of bpf; `EACCES` when the verifier refuses it.
pub fn load_device_program(program: &[Instruction]) -> io::Result<OwnedFd> {
    #[repr(C)]
    struct Load {
        program_type: u32,
        instruction_count: u32,
        instructions: u64,
        license: u64,
        log_level: u32,
        log_size: u32,
        log: u64,
        kernel_version: u32,
        flags: u32,
        name: [u8; 16],
    }
    let license = c"Apache-2.0";
    let load = Load {
        program_type: BPF_PROG_TYPE_CGROUP_DEVICE,
        instruction_count: u32::try_from(program.len())
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?,
        instructions: program.as_ptr() as u64,
        license: license.as_ptr() as u64,
        log_level: 0,
        log_size: 0,
        log: 0,
        kernel_version: 0,
        flags: 0,
        name: NAME,
    };
    // SAFETY: the attributes point to the program and the licence, which both
    // outlive the call; the size is that of the structure.
    let result = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            BPF_PROG_LOAD,
            &raw const load,
            size_of::<Load>(),
        )
    };
    // SAFETY: the result is a new descriptor that nothing else owns.
    crate::check(result).map(|fd| unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// Attaches a device program to a v2 control group, beside those attached
/// already: access needs the consent of all. The kernel drops it with the
/// group.
///
/// # Errors
/// The errno of bpf.
pub fn attach_device_program(cgroup: BorrowedFd<'_>, program: BorrowedFd<'_>) -> io::Result<()> {
    change(BPF_PROG_ATTACH, cgroup, program, None)
}

/// Puts a device program in the place of another one that is attached to the
/// group, in one step.
///
/// # Errors
/// The errno of bpf; `EINVAL` on a kernel before 5.6.
pub fn replace_device_program(
    cgroup: BorrowedFd<'_>,
    program: BorrowedFd<'_>,
    old: BorrowedFd<'_>,
) -> io::Result<()> {
    change(BPF_PROG_ATTACH, cgroup, program, Some(old))
}

/// Takes a device program off a group.
///
/// # Errors
/// The errno of bpf.
pub fn detach_device_program(cgroup: BorrowedFd<'_>, program: BorrowedFd<'_>) -> io::Result<()> {
    change(BPF_PROG_DETACH, cgroup, program, None)
}

fn change(
    command: libc::c_int,
    cgroup: BorrowedFd<'_>,
    program: BorrowedFd<'_>,
    old: Option<BorrowedFd<'_>>,
) -> io::Result<()> {
    #[repr(C)]
    struct Attach {
        target: u32,
        program: u32,
        kind: u32,
        flags: u32,
        replaced: u32,
    }
    let attach = Attach {
        target: cgroup.as_raw_fd() as u32,
        program: program.as_raw_fd() as u32,
        kind: BPF_CGROUP_DEVICE,
        flags: match (command, old) {
            (BPF_PROG_DETACH, _) => 0,
            (_, None) => BPF_F_ALLOW_MULTI,
            (_, Some(_)) => BPF_F_ALLOW_MULTI | BPF_F_REPLACE,
        },
        replaced: old.map_or(0, |old| old.as_raw_fd() as u32),
    };
    // SAFETY: the structure outlives the call and has the size given; older
    // kernels take a longer one as long as the rest is zero.
    let result = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command,
            &raw const attach,
            size_of::<Attach>(),
        )
    };
    crate::check(result).map(drop)
}

/// The programs loaded by [`load_device_program`] that are attached to a
/// group, oldest first; others' are left out.
///
/// # Errors
/// The errno of bpf.
pub fn own_device_programs(cgroup: BorrowedFd<'_>) -> io::Result<Vec<OwnedFd>> {
    #[repr(C)]
    struct Query {
        target: u32,
        kind: u32,
        query_flags: u32,
        attach_flags: u32,
        ids: u64,
        count: u32,
        padding: u32,
    }
    let mut ids = [0u32; MAXIMUM_PROGRAMS];
    let mut query = Query {
        target: cgroup.as_raw_fd() as u32,
        kind: BPF_CGROUP_DEVICE,
        query_flags: 0,
        attach_flags: 0,
        ids: ids.as_mut_ptr() as u64,
        count: MAXIMUM_PROGRAMS as u32,
        padding: 0,
    };
    // SAFETY: the kernel writes at most `count` identifiers, which is what the
    // array holds, and into the structure, whose size is given.
    let result = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            BPF_PROG_QUERY,
            &raw mut query,
            size_of::<Query>(),
        )
    };
    crate::check(result)?;
    let count = (query.count as usize).min(MAXIMUM_PROGRAMS);
    let mut found = Vec::new();
    for id in &ids[..count] {
        // One that has gone meanwhile is none.
        let Ok(program) = program_by_id(*id) else {
            continue;
        };
        if program_name(program.as_raw_fd())? == NAME {
            found.push(program);
        }
    }
    Ok(found)
}

fn program_by_id(id: u32) -> io::Result<OwnedFd> {
    #[repr(C)]
    struct Open {
        id: u32,
        next_id: u32,
        flags: u32,
    }
    let open = Open {
        id,
        next_id: 0,
        flags: 0,
    };
    // SAFETY: the structure outlives the call and has the size given.
    let result = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            BPF_PROG_GET_FD_BY_ID,
            &raw const open,
            size_of::<Open>(),
        )
    };
    // SAFETY: the result is a new descriptor that nothing else owns.
    crate::check(result).map(|fd| unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

fn program_name(program: libc::c_int) -> io::Result<[u8; 16]> {
    /// The beginning of struct bpf_prog_info, up to the name.
    #[repr(C)]
    #[derive(Default)]
    struct Info {
        program_type: u32,
        id: u32,
        tag: [u8; 8],
        compiled_length: u32,
        translated_length: u32,
        compiled: u64,
        translated: u64,
        load_time: u64,
        user: u32,
        map_count: u32,
        maps: u64,
        name: [u8; 16],
    }
    #[repr(C)]
    struct Get {
        program: u32,
        length: u32,
        info: u64,
    }
    let mut info = Info::default();
    let get = Get {
        program: program as u32,
        length: size_of::<Info>() as u32,
        info: &raw mut info as u64,
    };
    // SAFETY: the kernel writes at most `length` bytes of information, which
    // is the size of the structure that the attributes point to.
    let result = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            BPF_OBJ_GET_INFO_BY_FD,
            &raw const get,
            size_of::<Get>(),
        )
    };
    crate::check(result)?;
    Ok(info.name)
}
