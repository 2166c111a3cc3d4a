//! The conversation before the first message (SASL): the kernel tells the
//! other side who the caller is.

use super::Error;

/// What the caller says first: a zero byte, which carries the credentials, and
/// the mechanism, without a name to claim.
pub(super) const HELLO: &[u8] = b"\0AUTH EXTERNAL\r\n";

/// The longest answer, which the protocol bounds at 16 KiB.
pub(super) const MAXIMUM_LINE: usize = 1024;

/// What to say to a line of the other side's; `None` when messages may begin
/// after it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Say this, and listen.
    Say(&'static [u8]),
    /// Say this, and then messages.
    Begin(&'static [u8]),
}

pub(super) fn answer(line: &str) -> Result<Next, Error> {
    let word = line.split(' ').next().unwrap_or_default();
    match word {
        // No claim: whoever the kernel says.
        "DATA" => Ok(Next::Say(b"DATA\r\n")),
        "OK" => Ok(Next::Begin(b"BEGIN\r\n")),
        "REJECTED" => Err(Error::Protocol("it does not let this user in".to_owned())),
        _ => Err(Error::Protocol(format!("it answered {line:?}"))),
    }
}
