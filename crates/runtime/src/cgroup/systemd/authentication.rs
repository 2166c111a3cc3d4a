//! The conversation before the first message (SASL): the kernel tells the
//! other side who the caller is.

use super::Error;

/// All that the caller says: a zero byte, which carries the credentials; the
/// mechanism, without a name to claim; and that messages follow. It has to be
/// one write: systemd's own end of a connection does not look at a message
/// that arrives together with the last line before something else arrives, so
/// that line must have been read when the first message is sent.
pub(super) const ALL: &[u8] = b"\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n";

/// The longest answer, which the protocol bounds at 16 KiB.
pub(super) const MAXIMUM_LINE: usize = 1024;

/// Whether a line of the other side's is the last one.
pub(super) fn is_done(line: &str) -> Result<bool, Error> {
    match line.split(' ').next().unwrap_or_default() {
        // It asks for the name.
        "DATA" => Ok(false),
        "OK" => Ok(true),
        "REJECTED" => Err(Error::Protocol("it does not let this user in".to_owned())),
        _ => Err(Error::Protocol(format!("it answered {line:?}"))),
    }
}
