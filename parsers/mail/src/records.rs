//! What records say of a message, whatever carried it.

use flowcell_sdk::Record;

use crate::header::Field;
use crate::message::Message;
use crate::shown::{Attachments, Digest, Hops, List, Nested, Shown};

/// A part of a message that is not its text.
#[derive(Debug, Record)]
#[record(name = "attachment")]
pub struct AttachmentFields<'a> {
    /// Which of the messages within the message it is a part of, from 1; absent if of none.
    pub message: Option<u64>,
    /// The file name.
    pub name: Option<Shown<'a>>,
    /// The media type, in lower case.
    pub content_type: Shown<'a>,
    /// The content transfer encoding, in lower case.
    pub encoding: Shown<'a>,
    /// `attachment`, `inline` or what else header field Content-Disposition says, in lower case.
    pub disposition: Option<Shown<'a>>,
    /// Bytes of the decoded content.
    pub size: u64,
    /// SHA-256 of the decoded content, in hexadecimal; absent if bytes of it are missing or were
    /// not asked for, and of the third and further of messages that are within each other.
    pub sha256: Option<Digest<'a>>,
}

/// A message within a message (media type message/rfc822 or message/global).
#[derive(Debug, Record)]
#[record(name = "nested_message")]
pub struct NestedFields<'a> {
    /// Which of the messages within the message it is a part of, from 1; absent if of none.
    pub message: Option<u64>,
    /// Header field Date.
    pub date: Option<Shown<'a>>,
    /// Header field From, encoded words decoded.
    pub from: Option<Shown<'a>>,
    /// The entries of header field To, encoded words decoded.
    pub to: List<'a>,
    /// Header field Message-ID.
    pub msg_id: Option<Shown<'a>>,
    /// Header field Subject, encoded words decoded.
    pub subject: Option<Shown<'a>>,
}

/// Declares the record of a mail: the fields that the protocol which carries it has of its own, then
/// those that every message has. The record is made of a struct of the former, which is declared with
/// it, and of [`MessageFields`].
///
/// ```
/// flowcell_mail::mail_record! {
///     /// One mail.
///     struct Mail from MailHead {
///         /// The folder.
///         folder: flowcell_mail::Shown<'a>,
///     }
/// }
/// # use flowcell_mail::{Message, MessageFields};
/// let message = Message::new();
/// let mail = Mail::new(MailHead { folder: flowcell_mail::Shown(b"inbox") }, MessageFields::of(&message));
/// ```
#[macro_export]
macro_rules! mail_record {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident from $head:ident $fields:tt
    ) => {
        $crate::with_message_fields! { record [$(#[$meta])*] $vis $name $head $fields }
    };
}

/// The fields that every message has, put in where a struct is declared.
#[doc(hidden)]
#[macro_export]
macro_rules! with_message_fields {
    ($what:ident $($declared:tt)*) => {
        $crate::declare_fields! {
            $what $($declared)* {
                /// Header field Date.
                date: Option<$crate::Shown<'a>>,
                /// Header field From, encoded words decoded.
                from: Option<$crate::Shown<'a>>,
                /// The entries of header field To, encoded words decoded.
                to: $crate::List<'a>,
                /// The entries of header field Cc, encoded words decoded.
                cc: $crate::List<'a>,
                /// Header field Reply-To, encoded words decoded.
                reply_to: Option<$crate::Shown<'a>>,
                /// Header field Message-ID.
                msg_id: Option<$crate::Shown<'a>>,
                /// Header field In-Reply-To.
                in_reply_to: Option<$crate::Shown<'a>>,
                /// Header field Subject, encoded words decoded.
                subject: Option<$crate::Shown<'a>>,
                /// The first address in header field X-Originating-IP.
                x_originating_ip: Option<std::net::IpAddr>,
                /// The Received field that was added first: the last one in the header.
                first_received: Option<$crate::Shown<'a>>,
                /// The Received field that was added second.
                second_received: Option<$crate::Shown<'a>>,
                /// The way that the message came, backwards: one address of each Received field;
                /// where the mail is being sent, the server and the client stand in front.
                path: $crate::Hops<'a>,
                /// Header field User-Agent or X-Mailer.
                user_agent: Option<$crate::Shown<'a>>,
                /// Bytes of the message as it was sent, without the dots that the transport adds;
                /// absent if no content was sent.
                size: Option<u64>,
                /// Parts of the message that hold content themselves, also those of messages within
                /// it; 1 if it has no others.
                parts: u64,
                /// Multiparts and messages that were not looked into, because they are nested more
                /// than 16 levels deep. Each counts as a part.
                unopened: u64,
                /// Those of the parts that have a file name, say that they are attachments, or are
                /// no text, and the messages within the message; in the order in which they start.
                attachments: $crate::Attachments<'a>,
                /// The messages within the message, in the order in which they start.
                messages: $crate::Nested<'a>,
                /// Bytes of the message that are missing from the capture.
                missed_bytes: u64,
                /// Bytes are missing from the capture, or it was cut off.
                incomplete: bool,
                /// Names of the fields that were cut at a limit.
                truncated: Vec<&'static str>,
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! declare_fields {
    (
        record [$($meta:tt)*] $vis:vis $name:ident $head:ident
        { $($(#[$own_meta:meta])* $own:ident: $own_type:ty,)* }
        { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }
    ) => {
        $($meta)*
        #[derive(Debug, flowcell_sdk::Record)]
        $vis struct $name<'a> {
            $($(#[$own_meta])* $own: $own_type,)*
            $($(#[$field_meta])* $field: $type,)*
        }

        /// What the record has in front of the fields of the message.
        #[derive(Debug)]
        $vis struct $head<'a> {
            $($vis $own: $own_type,)*
        }

        impl<'a> $name<'a> {
            #[inline]
            $vis fn new(head: $head<'a>, message: $crate::MessageFields<'a>) -> Self {
                Self {
                    $($own: head.$own,)*
                    $($field: message.$field,)*
                }
            }
        }
    };
    (struct { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }) => {
        /// What a record says of a message, to be put together with the rest of it. See
        /// [`mail_record!`](crate::mail_record).
        #[derive(Debug)]
        pub struct MessageFields<'a> {
            $($(#[$field_meta])* pub $field: $type,)*
        }
    };
}

with_message_fields! { struct }

impl<'a> MessageFields<'a> {
    /// What is to be said of `message`.
    #[must_use]
    #[inline]
    pub fn of(message: &'a Message) -> Self {
        let header = &message.header;
        Self {
            date: Shown::field(header, Field::Date),
            from: Shown::field(header, Field::From),
            to: List(&header.to),
            cc: List(&header.cc),
            reply_to: Shown::field(header, Field::ReplyTo),
            msg_id: Shown::field(header, Field::MessageId),
            in_reply_to: Shown::field(header, Field::InReplyTo),
            subject: Shown::field(header, Field::Subject),
            x_originating_ip: header.x_originating_ip,
            first_received: Shown::field(header, Field::FirstReceived),
            second_received: Shown::field(header, Field::SecondReceived),
            path: Hops { ends: None, before: &header.path },
            user_agent: Shown::field(header, Field::UserAgent),
            size: Some(message.size),
            parts: message.parts.into(),
            unopened: message.unopened.into(),
            attachments: Attachments(&message.attachments),
            messages: Nested(&message.messages),
            missed_bytes: message.missed,
            incomplete: message.incomplete,
            truncated: header.cut.clone(),
        }
    }
}
