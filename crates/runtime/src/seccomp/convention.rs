//! How programs call a kernel: which architectures one machine can run.
//!
//! A filter sees only what its own kernel can execute, so of the architectures
//! that a configuration lists, those of other machines ask for nothing: no
//! call will ever carry their number. They are passed over.

use tare_oci::runtime::SeccompArchitecture;

use super::argument::Width;
use super::table::Row;

/// What an x32 call's number has added to it.
const X32_BIT: u32 = 0x4000_0000;

/// Machines that filters are compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Machine {
    X86_64,
    Aarch64,
}

impl Machine {
    /// The one that this program runs on.
    pub(super) const HOST: Machine = if cfg!(target_arch = "aarch64") {
        Machine::Aarch64
    } else {
        Machine::X86_64
    };

    /// How its kernel can be called.
    pub(super) fn conventions(self) -> &'static [Convention] {
        match self {
            Machine::X86_64 => &X86_64,
            Machine::Aarch64 => &AARCH64,
        }
    }

    /// The architecture that a filter covers whether listed or not.
    pub(super) fn native(self) -> SeccompArchitecture {
        match self {
            Machine::X86_64 => SeccompArchitecture::X86_64,
            Machine::Aarch64 => SeccompArchitecture::Aarch64,
        }
    }

    /// The name in file names.
    pub(super) fn name(self) -> &'static str {
        match self {
            Machine::X86_64 => "x86_64",
            Machine::Aarch64 => "aarch64",
        }
    }
}

/// How one architecture calls.
pub(super) struct Convention {
    pub(super) architecture: SeccompArchitecture,
    /// The kernel's audit number.
    pub(super) audit: u32,
    pub(super) width: Width,
    /// Added to every number of the table.
    pub(super) offset: u32,
    /// The number, or less than 0 where the call is unknown.
    pub(super) number: fn(&Row) -> i32,
    /// Sockets and System V IPC can also be had through one call for all.
    pub(super) multiplexes: bool,
}

const X86_64: [Convention; 3] = [
    Convention {
        architecture: SeccompArchitecture::X86_64,
        audit: 0xc000_003e,
        width: Width::Bits64,
        offset: 0,
        number: |row| row.x86_64.into(),
        multiplexes: false,
    },
    Convention {
        architecture: SeccompArchitecture::X32,
        audit: 0xc000_003e,
        width: Width::Bits32,
        offset: X32_BIT,
        number: |row| row.x32.into(),
        multiplexes: false,
    },
    Convention {
        architecture: SeccompArchitecture::X86,
        audit: 0x4000_0003,
        width: Width::Bits32,
        offset: 0,
        number: |row| row.x86.into(),
        multiplexes: true,
    },
];

const AARCH64: [Convention; 2] = [
    Convention {
        architecture: SeccompArchitecture::Aarch64,
        audit: 0xc000_00b7,
        width: Width::Bits64,
        offset: 0,
        number: |row| row.aarch64.into(),
        multiplexes: false,
    },
    Convention {
        architecture: SeccompArchitecture::Arm,
        audit: 0x4000_0028,
        width: Width::Bits32,
        offset: 0,
        number: |row| row.arm,
        multiplexes: false,
    },
];
