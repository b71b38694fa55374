//! How a parser ends other than well.

use std::borrow::Cow;

use crate::ReadError;

/// What a parser function returns.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// Why a parser stopped. What it means for the flow is said at each variant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A read could not be satisfied, and the parser passed that on with `?`. An end or a gap is
    /// nobody's fault: the parser is done and the flow carries no mark. An over-long unit is a
    /// [violation](Error::Violation).
    Read(ReadError),
    /// This is not the parser's protocol: the host tries another parser.
    Decline(Cow<'static, str>),
    /// The protocol is violated beyond recovery: the reason stands in the flow's record.
    Violation(Cow<'static, str>),
    /// The rest of the flow is of this other protocol; of whichever it is, if there is no name.
    SwitchTo(Cow<'static, str>),
}

impl Error {
    /// "Not my protocol", for `return Err(...)` before [`Flow::confirm`](crate::Flow::confirm).
    pub fn decline(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Decline(reason.into())
    }

    /// "The protocol is violated".
    pub fn violation(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Violation(reason.into())
    }

    /// "From here on it is `protocol`", for `return Err(...)` after STARTTLS and the like. Whatever the
    /// parser has not read yet goes to the parser of that name, and all that comes; if that is more than
    /// 256 KiB of a side, it is a violation instead. Without a name, to whichever knows it: after CONNECT.
    pub fn switch_to(protocol: impl Into<Cow<'static, str>>) -> Self {
        Self::SwitchTo(protocol.into())
    }
}

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Read(error) => error.fmt(f),
            Self::Decline(reason) => write!(f, "not this protocol: {reason}"),
            Self::Violation(reason) => write!(f, "protocol violation: {reason}"),
            Self::SwitchTo(protocol) => write!(f, "goes on as {protocol:?}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read(error) => Some(error),
            Self::Decline(_) | Self::Violation(_) | Self::SwitchTo(_) => None,
        }
    }
}
