//! From a layer's blob to its archive: plain, gzip or Zstandard, by the first
//! bytes.

use std::io::{self, BufRead, Chain, Cursor, Read};

use flate2::bufread::GzDecoder;
use tare_oci::media_type::Compression;

/// The largest window a Zstandard frame may ask for, as a power of two: what
/// `zstd --long` writes and its decoder accepts by default.
const WINDOW_LOG_MAX: u32 = 27;

type Input<R> = Chain<Cursor<Vec<u8>>, R>;

/// Decodes a blob; what is behind its end is read and dropped.
pub(super) enum Decoder<R: BufRead> {
    Plain(Input<R>),
    Gzip(Gzip<R>),
    Zstd(Box<zstd::stream::read::Decoder<'static, Input<R>>>),
}

impl<R: BufRead> Decoder<R> {
    pub(super) fn new(mut input: R) -> io::Result<Self> {
        const MAGIC: u64 = 4;
        let mut first = Vec::new();
        input.by_ref().take(MAGIC).read_to_end(&mut first)?;
        let compression = Compression::of_content(&first);
        let input = Cursor::new(first).chain(input);
        Ok(match compression {
            Compression::None => Self::Plain(input),
            Compression::Gzip => Self::Gzip(Gzip::Member(Box::new(GzDecoder::new(input)))),
            Compression::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?;
                decoder.window_log_max(WINDOW_LOG_MAX)?;
                Self::Zstd(Box::new(decoder))
            }
        })
    }
}

impl<R: BufRead> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(input) => input.read(buffer),
            Self::Gzip(gzip) => gzip.read(buffer),
            Self::Zstd(decoder) => decoder.read(buffer),
        }
    }
}

/// A gzip file is one member after another. What follows the last and is no
/// member (padding, mostly) is ignored, as gzip itself does; the digests tell
/// whether anything is missing.
pub(super) enum Gzip<R: BufRead> {
    Member(Box<GzDecoder<Input<R>>>),
    Ended,
}

impl<R: BufRead> Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let Self::Member(decoder) = self else {
                return Ok(0);
            };
            match decoder.read(buffer)? {
                0 if !buffer.is_empty() => *self = self.next_member()?,
                length => return Ok(length),
            }
        }
    }

    fn next_member(&mut self) -> io::Result<Self> {
        let Self::Member(decoder) = std::mem::replace(self, Self::Ended) else {
            return Ok(Self::Ended);
        };
        let (_, mut input) = decoder.into_inner().into_inner();
        let mut first = Vec::new();
        input.by_ref().take(4).read_to_end(&mut first)?;
        if Compression::of_content(&first) == Compression::Gzip {
            return Ok(Self::Member(Box::new(GzDecoder::new(
                Cursor::new(first).chain(input),
            ))));
        }
        io::copy(&mut input, &mut io::sink())?;
        Ok(Self::Ended)
    }
}
