//! One header block of 512 bytes.

use super::{Error, Time, number};

pub(super) const BLOCK: usize = 512;

/// The largest number that fits the twelve bytes of a size field in octal.
pub(super) const OCTAL_SIZE_MAX: u64 = 0o777_7777_7777;

/// A header block's fields, where all flavours agree.
pub(super) struct Header<'block> {
    block: &'block [u8; BLOCK],
    flavour: Flavour,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flavour {
    /// Before POSIX; also whatever has no known magic.
    V7,
    /// POSIX, with or without PAX headers.
    Ustar,
    /// Ustar with a shorter prefix field.
    Star,
    Gnu,
}

impl<'block> Header<'block> {
    pub(super) fn parse(block: &'block [u8; BLOCK]) -> Result<Self, Error> {
        verify_checksum(block)?;
        let flavour = match &block[257..265] {
            b"ustar  \0" => Flavour::Gnu,
            magic if magic.starts_with(b"ustar\0") && &block[508..512] == b"tar\0" => Flavour::Star,
            magic if magic.starts_with(b"ustar\0") => Flavour::Ustar,
            _ => Flavour::V7,
        };
        Ok(Self { block, flavour })
    }

    pub(super) fn kind(&self) -> u8 {
        self.block[156]
    }

    pub(super) fn path(&self) -> Vec<u8> {
        let name = text(&self.block[..100]);
        let prefix = match self.flavour {
            Flavour::Ustar => text(&self.block[345..500]),
            Flavour::Star => text(&self.block[345..476]),
            Flavour::V7 | Flavour::Gnu => &[],
        };
        if prefix.is_empty() {
            name.to_vec()
        } else {
            [prefix, b"/", name].concat()
        }
    }

    pub(super) fn link(&self) -> Vec<u8> {
        text(&self.block[157..257]).to_vec()
    }

    pub(super) fn mode(&self) -> Result<u32, Error> {
        // The upper bits repeat the entry's type in some archives.
        Ok(u32::try_from(number::parse(&self.block[100..108])? & 0o7777).unwrap_or(0))
    }

    pub(super) fn user(&self) -> Result<u64, Error> {
        number::parse(&self.block[108..116])
    }

    pub(super) fn group(&self) -> Result<u64, Error> {
        number::parse(&self.block[116..124])
    }

    pub(super) fn size(&self) -> Result<u64, Error> {
        let size = number::parse(&self.block[124..136])?;
        if i64::try_from(size).is_err() {
            Err(Error::Header("a size too large"))
        } else {
            Ok(size)
        }
    }

    pub(super) fn modified(&self) -> Result<Time, Error> {
        number::parse_time(&self.block[136..148])
    }

    pub(super) fn device(&self) -> Result<(u32, u32), Error> {
        if self.flavour == Flavour::V7 {
            return Ok((0, 0));
        }
        let part = |field: &[u8]| {
            u32::try_from(number::parse(field)?).map_err(|_| Error::Header("a device number"))
        };
        Ok((part(&self.block[329..337])?, part(&self.block[337..345])?))
    }

    /// The fields of an old GNU sparse file: four map entries, whether blocks
    /// with more follow, and the file's real size.
    pub(super) fn sparse(&self) -> Result<(&'block [u8], bool, u64), Error> {
        if self.flavour != Flavour::Gnu {
            return Err(Error::Header(
                "a sparse file in an archive that is not GNU tar's",
            ));
        }
        Ok((
            &self.block[386..482],
            self.block[482] != 0,
            number::parse(&self.block[483..495])?,
        ))
    }
}

/// Bytes up to the first NUL.
fn text(field: &[u8]) -> &[u8] {
    let end = field
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(field.len());
    &field[..end]
}

/// The sum of all bytes with the checksum's own taken for spaces. Some old
/// programs added signed bytes.
fn verify_checksum(block: &[u8; BLOCK]) -> Result<(), Error> {
    let field = 148..156;
    const WRONG: Error = Error::Header("the checksum is wrong");
    let expected = number::parse(&block[field.clone()]).map_err(|_| WRONG)?;
    let mut unsigned = 0_u64;
    let mut signed = 0_i64;
    for (position, byte) in block.iter().enumerate() {
        let byte = if field.contains(&position) {
            b' '
        } else {
            *byte
        };
        unsigned += u64::from(byte);
        signed += i64::from(byte.cast_signed());
    }
    if expected == unsigned || i64::try_from(expected) == Ok(signed) {
        return Ok(());
    }
    Err(WRONG)
}
