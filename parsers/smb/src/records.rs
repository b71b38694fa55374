//! What the parser emits.

use flowcell_sdk::prelude::*;

/// Somebody says who they are: an exchange of SESSION_SETUP (MS-SMB2 §3.3.5.5).
///
/// Emitted when the server has decided, or with the end of the flow. A connection may have several.
#[derive(Debug, Record)]
pub(crate) struct Session<'a> {
    /// The number of the session that the server gave it, in hexadecimal.
    pub(crate) session_id: Option<Text<'a>>,
    /// The dialect that was agreed on: `2.0.2`, `2.1`, `3.0`, `3.0.2` or `3.1.1`, or by its name that of
    /// SMB 1, such as `NT LM 0.12`. Absent if the agreement was not seen.
    pub(crate) dialect: Option<Text<'a>>,
    /// The dialects that the client offered, in its order; `2.???` stands for any from 2.1 on. At most 32.
    pub(crate) dialects_offered: Vec<Text<'a>>,
    /// How it was proved: `ntlm` or `kerberos`; absent if it could not be seen.
    pub(crate) mechanism: Option<&'static str>,
    /// The mechanisms that the client offered (SPNEGO, RFC 4178): `kerberos`, `ms-kerberos`,
    /// `ntlmssp`, `negoex`, or an object identifier. At most 8.
    pub(crate) mechs_offered: Vec<Text<'a>>,
    /// The user, as the client says. Absent with Kerberos, which encrypts it.
    pub(crate) username: Option<Text<'a>>,
    /// The user's domain, as the client says.
    pub(crate) domainname: Option<Text<'a>>,
    /// The client's name, as it says.
    pub(crate) hostname: Option<Text<'a>>,
    /// Version and build of the client's NTLM, mostly those of its system.
    pub(crate) client_version: Option<Text<'a>>,
    /// The version of the NTLM response: 1 or 2.
    pub(crate) ntlm_version: Option<u8>,
    /// The server's NetBIOS name.
    pub(crate) server_nb_computer_name: Option<Text<'a>>,
    /// The NetBIOS name of the server's domain.
    pub(crate) server_nb_domain_name: Option<Text<'a>>,
    /// The server's DNS name.
    pub(crate) server_dns_computer_name: Option<Text<'a>>,
    /// The DNS name of the server's domain.
    pub(crate) server_dns_domain_name: Option<Text<'a>>,
    /// The DNS name of the server's forest.
    pub(crate) server_tree_name: Option<Text<'a>>,
    /// Version and build of the server's NTLM, mostly those of its system.
    pub(crate) server_version: Option<Text<'a>>,
    /// The server took it; absent if the server's decision was not seen.
    pub(crate) success: Option<bool>,
    /// The server's decision by name, such as `SUCCESS` or `LOGON_FAILURE` (MS-ERREF §2.3.1); an unknown
    /// one in hexadecimal.
    pub(crate) status: Option<Text<'a>>,
    /// The server took the user for its guest.
    pub(crate) guest: bool,
    /// The client named no user.
    pub(crate) anonymous: bool,
    /// One of the two insists on signatures.
    pub(crate) signing_required: bool,
    /// The server insists on encryption.
    pub(crate) encrypted: bool,
    /// The session goes on on this connection as on another (multichannel).
    pub(crate) binding: bool,
    /// Parts of the exchange are missing from the capture.
    pub(crate) incomplete: bool,
    /// A text was longer than what is kept of it: 1,024 bytes of a path, 256 of another name.
    pub(crate) truncated: bool,
}

/// A share was asked for (TREE_CONNECT). Emitted with the answer.
#[derive(Debug, Record)]
pub(crate) struct Tree<'a> {
    /// The share, as `\\server\share`; absent if the request was not seen.
    pub(crate) path: Option<Text<'a>>,
    /// `DISK`, `PIPE` or `PRINT`; absent if the server refused or its answer was not seen.
    pub(crate) share_type: Option<&'static str>,
    /// The server's answer by name.
    pub(crate) status: Option<Text<'a>>,
    /// The server wants all that concerns the share encrypted.
    pub(crate) encrypted: bool,
    /// The user of the session.
    pub(crate) username: Option<Text<'a>>,
    /// The session's number, in hexadecimal.
    pub(crate) session_id: Text<'a>,
    /// A text was longer than what is kept of it: 1,024 bytes of a path, 256 of another name.
    pub(crate) truncated: bool,
}

/// What was done with a file, a folder or a pipe from its opening to its closing.
///
/// Emitted when it is closed, with the share, the session or the flow at the latest; if it could not be
/// opened, then. A file that was open before the capture began is told if more was done with it than
/// closing it.
#[derive(Debug, Record)]
pub(crate) struct File<'a> {
    /// What was done that weighs most: `delete`, `rename`, `write`, `read`, or `open` for less.
    pub(crate) action: &'static str,
    /// The share, as `\\server\share`; absent if it was not seen. With `\` and `name` behind it, that is the whole
    /// path of the file.
    pub(crate) path: Option<Text<'a>>,
    /// The name within the share, as the client said, its parts separated by `\`; empty for the share's
    /// root, absent if it was not seen.
    pub(crate) name: Option<Text<'a>>,
    /// The name before it was renamed.
    pub(crate) prev_name: Option<Text<'a>>,
    /// Size in bytes, as last seen: told by the server, or the end of what was written.
    pub(crate) size: Option<u64>,
    /// The file's times, as the server last told them.
    pub(crate) times: Option<Times>,
    /// It is a folder.
    pub(crate) directory: bool,
    /// `DISK`, `PIPE` or `PRINT`: what the share is.
    pub(crate) share_type: Option<&'static str>,
    /// The server's answer to the opening by name, such as `SUCCESS` or `ACCESS_DENIED`; absent if it
    /// was not seen.
    pub(crate) status: Option<Text<'a>>,
    /// What was to be done if the file is there, and if not: `open`, `create`, `open_if`, `overwrite`,
    /// `overwrite_if` or `supersede` (MS-SMB2 §2.2.13).
    pub(crate) disposition: Option<&'static str>,
    /// What came of it: `opened`, `created`, `overwritten` or `superseded`.
    pub(crate) create_action: Option<&'static str>,
    /// The options of the opening, such as `directory` or `delete_on_close`.
    pub(crate) options: Vec<&'static str>,
    /// The access that the client wanted (MS-SMB2 §2.2.13.1), in hexadecimal.
    pub(crate) access: Option<Text<'a>>,
    /// Answers with bytes read.
    pub(crate) reads: u64,
    /// Bytes read; what came out of a pipe counts as well.
    pub(crate) read_bytes: u64,
    /// Offset of the first byte read; absent if none was, and for a pipe.
    pub(crate) read_from: Option<u64>,
    /// Offset behind the last byte read.
    pub(crate) read_to: Option<u64>,
    /// Writes that the server has confirmed, or whose answer was not seen.
    pub(crate) writes: u64,
    /// Bytes written; what went into a pipe counts as well.
    pub(crate) written_bytes: u64,
    /// Offset of the first byte written; absent if none was, and for a pipe.
    pub(crate) written_from: Option<u64>,
    /// Offset behind the last byte written.
    pub(crate) written_to: Option<u64>,
    /// Bytes that the server copied into it from another file.
    pub(crate) copied_bytes: u64,
    /// Lists of its files that the client asked for, of a folder.
    pub(crate) listings: u64,
    /// When it was opened; absent if that was not seen.
    pub(crate) opened: Option<Timestamp>,
    /// The client has closed it.
    pub(crate) closed: bool,
    /// The user of the session.
    pub(crate) username: Option<Text<'a>>,
    /// The session's number, in hexadecimal.
    pub(crate) session_id: Text<'a>,
    /// The file's number, in hexadecimal: the persistent part, then the volatile one. Absent if it was
    /// not opened.
    pub(crate) file_id: Option<Text<'a>>,
    /// Parts of what was done are missing from the capture, or were too many to follow.
    pub(crate) incomplete: bool,
    /// A text was longer than what is kept of it: 1,024 bytes of a path, 256 of another name.
    pub(crate) truncated: bool,
}

/// The times of a file.
#[derive(Debug, Record)]
pub(crate) struct Times {
    /// Its content was last written.
    pub(crate) modified: Option<Timestamp>,
    /// It was last read.
    pub(crate) accessed: Option<Timestamp>,
    /// It was made.
    pub(crate) created: Option<Timestamp>,
    /// It or what is known of it was last changed.
    pub(crate) changed: Option<Timestamp>,
}

/// What a connection came to. Emitted with its end; of SMB 1, when a session is set up.
#[derive(Debug, Record)]
pub(crate) struct Connection<'a> {
    /// As of `smb.session`.
    pub(crate) dialect: Option<Text<'a>>,
    /// As of `smb.session`.
    pub(crate) dialects_offered: Vec<Text<'a>>,
    /// The mechanisms that the server offers to prove who one is.
    pub(crate) server_mechs: Vec<Text<'a>>,
    /// The number by which the client tells itself from others.
    pub(crate) client_guid: Option<Text<'a>>,
    /// The number by which the server does.
    pub(crate) server_guid: Option<Text<'a>>,
    /// The name by which the client calls the server.
    pub(crate) server_name: Option<Text<'a>>,
    /// The NetBIOS name that is called (RFC 1002 §4.3.2).
    pub(crate) netbios_called: Option<Text<'a>>,
    /// The NetBIOS name of who calls.
    pub(crate) netbios_calling: Option<Text<'a>>,
    /// Why the NetBIOS session was refused (RFC 1002 §4.3.4), a number.
    pub(crate) netbios_error: Option<u8>,
    /// One of the two insists on signatures.
    pub(crate) signing_required: bool,
    /// The cipher that was agreed on, such as `AES-128-GCM`; SMB 3.1.1 only.
    pub(crate) cipher: Option<&'static str>,
    /// Messages of SMB 1; of these, only those are read that lead to a session.
    pub(crate) smb1_messages: u64,
    /// Requests of SMB 2 and 3 that could be read.
    pub(crate) requests: u64,
    /// Those of them that got no answer, or whose answer was not seen.
    pub(crate) unanswered: u64,
    /// Bytes read from all files and pipes, also from those that are not told one by one.
    pub(crate) read_bytes: u64,
    /// Bytes written.
    pub(crate) written_bytes: u64,
    /// Messages that are encrypted: nothing of them can be told.
    pub(crate) encrypted_messages: u64,
    /// Their bytes.
    pub(crate) encrypted_bytes: u64,
    /// Messages that are compressed and not read.
    pub(crate) compressed_messages: u64,
    /// Messages that could not be understood.
    pub(crate) malformed: u64,
    /// Files that were given up because too many were open.
    pub(crate) given_up: u64,
    /// Records that were left out because there were too many of them for what was sent.
    pub(crate) left_out: u64,
    /// Bytes are missing from the capture where a message would have been read, or its start was not
    /// seen.
    pub(crate) incomplete: bool,
}
