//! What the parser emits.

use flowcell_sdk::prelude::*;

/// A request or a reply, emitted when all of it is there.
#[derive(Debug, Record)]
pub(crate) struct Message<'a> {
    /// Sent by the endpoint that sent the flow's first packet.
    pub(crate) is_orig: bool,
    /// Which transaction of the flow it belongs to, from 0: by Call-ID and CSeq. An ACK belongs to its INVITE.
    pub(crate) trans_depth: u64,
    /// The method of the request; of a reply, as CSeq has it.
    pub(crate) method: Option<Text<'a>>,
    /// The request's URI. Here and in addresses, a password is replaced by `***`.
    pub(crate) uri: Option<Text<'a>>,
    /// Header field Date.
    pub(crate) date: Option<Text<'a>>,
    /// Header field From of a request, up to its tag.
    pub(crate) request_from: Option<Text<'a>>,
    /// Header field To of a request.
    pub(crate) request_to: Option<Text<'a>>,
    /// Header field From of a reply, up to its tag.
    pub(crate) response_from: Option<Text<'a>>,
    /// Header field To of a reply.
    pub(crate) response_to: Option<Text<'a>>,
    /// Header field Reply-To.
    pub(crate) reply_to: Option<Text<'a>>,
    /// Header field Call-ID.
    pub(crate) call_id: Option<Text<'a>>,
    /// Header field CSeq: a number and the method.
    pub(crate) seq: Option<Text<'a>>,
    /// Header field Subject.
    pub(crate) subject: Option<Text<'a>>,
    /// The entries of header field Via of a request, each up to its branch.
    pub(crate) request_path: Vec<Text<'a>>,
    /// The entries of header field Via of a reply, each up to its branch.
    pub(crate) response_path: Vec<Text<'a>>,
    /// Header field User-Agent.
    pub(crate) user_agent: Option<Text<'a>>,
    /// Header field Server.
    pub(crate) server: Option<Text<'a>>,
    /// The status code of a reply.
    pub(crate) status_code: Option<u16>,
    /// The reason phrase of a reply.
    pub(crate) status_msg: Option<Text<'a>>,
    /// Header field Warning; of several, separated by a comma.
    pub(crate) warning: Option<Text<'a>>,
    /// Bytes of a request's body: as header field Content-Length says, else as they are in the datagram;
    /// absent if there is neither.
    pub(crate) request_body_len: Option<u64>,
    /// Bytes of a reply's body, likewise.
    pub(crate) response_body_len: Option<u64>,
    /// Header field Content-Type.
    pub(crate) content_type: Option<Text<'a>>,
    /// The media that a session description in the body (SDP, RFC 4566) tells of.
    pub(crate) media: Vec<Media<'a>>,
    /// Bytes that this side has sent since its last message and that are no SIP: keep-alives, STUN, RTP, or
    /// what is left of a message whose start is missing.
    pub(crate) ignored_bytes: u64,
    /// Bytes of the message are missing from the capture or were never sent.
    pub(crate) incomplete: bool,
    /// Names of the fields that were cut at a limit; `header` if that was left before its end.
    pub(crate) truncated: Vec<&'static str>,
}

/// One stream of media (SDP's `m=`).
#[derive(Debug, Record)]
pub(crate) struct Media<'a> {
    /// `audio`, `video`, `text`, `application`, `message` or another.
    pub(crate) r#type: Text<'a>,
    /// Where it is to be sent (`c=`): an address or a name; absent if none is given.
    pub(crate) address: Option<Text<'a>>,
    /// The port; 0 if the medium is refused or not used.
    pub(crate) port: u16,
    /// The transport, for instance `RTP/AVP`.
    pub(crate) protocol: Text<'a>,
    /// The formats; for RTP, numbers of payload types.
    pub(crate) formats: Vec<Text<'a>>,
}
