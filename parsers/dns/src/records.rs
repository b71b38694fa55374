//! What the parser emits.

use flowcell_sdk::prelude::*;
use flowcell_sdk::{Encoder, FieldType, Value};

use crate::message::{Message, Part};
use crate::types;

/// A query and its reply, or one of them alone.
///
/// Emitted with the reply; without one, when the query has waited for a minute, when too many wait, or
/// with the end of the flow. What is sent to a group (mDNS, LLMNR) is never answered within its
/// flow and emitted at once. Names are shown in the case in which they were sent, with the escapes of
/// RFC 1035 §5.1 and without the last dot; the root is a dot. Flags, codes and counts are the
/// reply's, or without one the query's.
#[derive(Debug, Record)]
pub(crate) struct Transaction<'a> {
    /// Identifier of the messages.
    trans_id: u16,
    /// When the query was sent; absent if it was not seen.
    query_ts: Option<Timestamp>,
    /// Seconds from the query to the reply, from the first query if it was repeated; absent if one of
    /// them was not seen, or the reply is in the capture before the query.
    rtt: Option<f64>,
    /// The name in question; absent if there is no question.
    query: Option<Text<'a>>,
    /// Class of the question.
    qclass: Option<u16>,
    /// Its name, as in Zeek (`C_INTERNET`), or `CLASS` and the number.
    qclass_name: Option<Text<'a>>,
    /// Type of the question.
    qtype: Option<u16>,
    /// Its name, or `TYPE` and the number (RFC 3597).
    qtype_name: Option<Text<'a>>,
    /// In mDNS, the question asks for a reply by unicast.
    unicast_reply: Option<bool>,
    /// Further questions of the message, each with name, class and type; absent if there are none.
    more_queries: Option<Entries<'a>>,
    /// What is to be done: 0 is a query.
    opcode: u8,
    /// Its name, as in Zeek.
    opcode_name: Text<'a>,
    /// Response code with the bits that EDNS adds; absent without a reply.
    rcode: Option<u16>,
    /// Its name, or `RCODE` and the number.
    rcode_name: Option<Text<'a>>,
    /// Authoritative answer; in LLMNR, conflict.
    aa: bool,
    /// The message was cut to fit.
    tc: bool,
    /// Recursion desired; in LLMNR, tentative.
    rd: bool,
    /// Recursion available.
    ra: bool,
    /// The three bits behind RA, as in Zeek: one that is reserved, 2 for AD, 1 for CD.
    z: u16,
    /// The reply's data is authenticated (RFC 4035).
    ad: bool,
    /// The data need not be checked (RFC 4035).
    cd: bool,
    /// Data of the answers, as in master files, or as in RFC 3597 where the type has no form that is
    /// known; absent if there are none.
    answers: Option<Entries<'a>>,
    /// Seconds for which each answer may be cached.
    ttls: Option<Ttls<'a>>,
    /// Type of each answer.
    answer_types: Option<Types<'a>>,
    /// Name that each answer is about; absent if it is `query` for all of them.
    answer_names: Option<Names<'a>>,
    /// Records of the authority section, each with name, TTL, class, type and data.
    auth: Option<Entries<'a>>,
    /// Records of the additional section but for OPT, in the same form.
    addl: Option<Entries<'a>>,
    /// The reply has no records at all, as a server's that refuses to answer.
    rejected: bool,
    /// Questions, as the header counts them.
    num_queries: u16,
    /// Answers, as the header counts them.
    num_answers: u16,
    /// Records of the authority section, as the header counts them.
    num_auth: u16,
    /// Records of the additional section, as the header counts them.
    num_addl: u16,
    /// Extensions in the query.
    query_edns: Option<Edns<'a>>,
    /// Extensions in the reply.
    reply_edns: Option<Edns<'a>>,
    /// Bytes of the query; absent if it was not seen.
    query_len: Option<usize>,
    /// Bytes of the reply; absent without one.
    reply_len: Option<usize>,
    /// How often the query was sent again before the reply came.
    retries: u64,
    /// What is wrong with the messages, and where; what stands before that place is shown.
    malformed: Option<Text<'a>>,
    /// The end of a message is missing from the capture.
    incomplete: bool,
    /// Records or questions are left out, because a message comes to more text than is kept: 256
    /// bytes and four times its length, at most 64 KiB.
    truncated: bool,
}

/// What an OPT record says (RFC 6891).
#[derive(Debug, Record)]
pub(crate) struct Edns<'a> {
    /// Version of the extensions.
    version: u8,
    /// Bytes of the largest datagram that the sender can take.
    udp_size: u16,
    /// The sender wants DNSSEC records (DO).
    dnssec_ok: bool,
    /// Codes of the options, in order; at most 64.
    options: &'a Vec<u16>,
    /// Address and prefix length of the client's network (RFC 7871).
    client_subnet: Option<Text<'a>>,
    /// Prefix length for which the reply holds (RFC 7871).
    client_subnet_scope: Option<u8>,
    /// Code of the extended error (RFC 8914).
    extended_error: Option<u16>,
    /// What the server says of it, at most 1,024 bytes.
    extended_error_text: Option<Text<'a>>,
}

/// What a list shows of the entries of one part.
type Shown<'a> = (&'a Message, Part);

/// Lists of what there is of each entry.
macro_rules! lists {
    ($($(#[$doc:meta])* $name:ident: $element:ty, |$message:ident, $entry:ident| $shown:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            struct $name<'a>(Shown<'a>);

            impl Value for $name<'_> {
                const TYPE: FieldType = <Vec<$element> as Value>::TYPE;

                fn encode(&self, out: &mut Encoder<'_>) {
                    let ($message, part) = self.0;
                    out.array($message.part(part).count());
                    for $entry in $message.part(part) {
                        $shown.encode(out);
                    }
                }
            }
        )*
    };
}

lists! {
    /// Data of answers; whole records; questions.
    Entries: Text<'static>, |message, entry| Text::from(message.shown(entry));
    /// Names that answers are about.
    Names: Text<'static>, |message, entry| Text::from(message.name(entry));
    /// Types.
    Types: Text<'static>, |_message, entry| types::type_name(entry.rtype);
    /// TTLs.
    Ttls: u32, |_message, entry| entry.ttl;
}

/// The entries of a part, if there are any.
fn part(message: &Message, part: Part) -> Option<Shown<'_>> {
    message.part(part).next().map(|_| (message, part))
}

/// Emits what is known of a query and its reply, of which there is at least one.
pub(crate) fn emit(flow: &Flow, query: Option<&Message>, reply: Option<&Message>, retries: u64) {
    let Some(last) = reply.or(query) else {
        return;
    };
    let asked = [query, reply].into_iter().flatten().find(|message| message.question.is_some());
    let question = asked.and_then(|message| message.question.as_ref());
    let header = last.header;
    let [num_queries, num_answers, num_auth, num_addl] = header.counts;
    let answers = part(last, Part::Answer);
    let both = || [query, reply].into_iter().flatten();
    flow.emit(&Transaction {
        trans_id: header.id,
        query_ts: query.map(|query| query.at),
        rtt: seconds_between(query, reply),
        query: question.map(|question| Text::from(&*question.name)),
        qclass: question.map(|question| question.qclass),
        qclass_name: question.map(|question| types::qclass_name(question.qclass)),
        qtype: question.map(|question| question.qtype),
        qtype_name: question.map(|question| types::type_name(question.qtype)),
        unicast_reply: question.and_then(|question| question.unicast),
        more_queries: asked.and_then(|asked| part(asked, Part::Question)).map(Entries),
        opcode: header.opcode(),
        opcode_name: types::opcode_name(header.opcode()),
        rcode: reply.map(Message::rcode),
        rcode_name: reply.map(|reply| types::rcode_name(reply.rcode())),
        aa: header.aa(),
        tc: header.tc(),
        rd: header.rd(),
        ra: header.ra(),
        z: header.z(),
        ad: header.ad(),
        cd: header.cd(),
        answers: answers.map(Entries),
        ttls: answers.map(Ttls),
        answer_types: answers.map(Types),
        answer_names: answers.filter(|_| last.other_names).map(Names),
        auth: part(last, Part::Authority).map(Entries),
        addl: part(last, Part::Additional).map(Entries),
        rejected: reply.is_some() && num_answers == 0 && num_auth == 0 && num_addl == 0,
        num_queries,
        num_answers,
        num_auth,
        num_addl,
        query_edns: query.and_then(edns),
        reply_edns: reply.and_then(edns),
        query_len: query.map(|query| query.length),
        reply_len: reply.map(|reply| reply.length),
        retries,
        malformed: both().find_map(|message| message.malformed.as_deref()).map(Text::from),
        incomplete: both().any(|message| message.incomplete),
        truncated: both().any(|message| message.truncated),
    });
}

fn seconds_between(query: Option<&Message>, reply: Option<&Message>) -> Option<f64> {
    let nanoseconds = reply?.at.0.checked_sub(query?.at.0)?;
    Some(std::time::Duration::from_nanos(nanoseconds).as_secs_f64())
}

fn edns(message: &Message) -> Option<Edns<'_>> {
    let opt = message.opt.as_ref()?;
    Some(Edns {
        version: opt.version,
        udp_size: opt.udp_size,
        dnssec_ok: opt.dnssec_ok,
        options: &opt.options,
        client_subnet: opt.subnet.as_ref().map(|subnet| Text::from(&*subnet.shown)),
        client_subnet_scope: opt.subnet.as_ref().map(|subnet| subnet.scope),
        extended_error: opt.error.as_ref().map(|error| error.code),
        extended_error_text: opt.error.as_ref().map(|error| Text::from(&*error.text)),
    })
}
