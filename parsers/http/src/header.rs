//! Header and trailer sections (RFC 9112 §5).

use flowcell_sdk::prelude::*;
use memchr::{memchr, memchr2};

use crate::anomalies::{Anomalies, Anomaly};
use crate::codings::Codings;
use crate::target::{mask_passwords, mask_words};
use crate::text::{is_token, same, shorten, trim};

/// Longest part of a line that is looked at, in bytes. RFC 9110 §4.1 recommends 8,000 for a URI.
pub(crate) const LINE_MAX: usize = 8_192;

/// Longest header section, in bytes: what is longer is taken for something else.
const SECTION_MAX: u64 = 1 << 20;

/// Longest value that is kept of a field, in bytes.
const VALUE_MAX: usize = 2_048;

/// Most fields of proxies that are kept of a message.
const PROXIED_MAX: usize = 16;

/// A field whose value is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Host,
    UserAgent,
    Referer,
    Origin,
    Authorization,
    ProxyAuthorization,
    Expect,
    Upgrade,
    ContentLength,
    TransferEncoding,
    ContentType,
    ContentEncoding,
    ContentDisposition,
    Server,
    Location,
}

/// How a field is kept.
struct Known {
    field: Field,
    /// Its name on the wire.
    name: &'static str,
    /// Its name in the record of a request and of a response; empty if it is not in it.
    shown: [&'static str; 2],
    /// Several are one list (RFC 9110 §5.3). Of other fields the first counts.
    list: bool,
}

macro_rules! known {
    ($($field:ident $name:literal $request:literal $response:literal $list:literal,)*) => {
        static KNOWN: &[Known] = &[$(Known {
            field: Field::$field,
            name: $name,
            shown: [$request, $response],
            list: $list,
        }),*];
    };
}

known! {
    Host "host" "host" "" false,
    UserAgent "user-agent" "user_agent" "" false,
    Referer "referer" "referrer" "" false,
    Origin "origin" "origin" "" false,
    Authorization "authorization" "username" "" false,
    ProxyAuthorization "proxy-authorization" "username" "" false,
    Expect "expect" "" "" true,
    Upgrade "upgrade" "" "upgrade" true,
    ContentLength "content-length" "request_content_length" "response_content_length" true,
    TransferEncoding "transfer-encoding" "request_transfer_encoding" "response_transfer_encoding" true,
    ContentType "content-type" "request_content_type" "response_content_type" false,
    ContentEncoding "content-encoding" "request_content_encoding" "response_content_encoding" true,
    ContentDisposition "content-disposition" "" "resp_filenames" false,
    Server "server" "" "server" false,
    Location "location" "" "location" false,
}

/// Fields of requests that proxies add, as Zeek shows them.
static PROXY_FIELDS: &[&str] = &[
    "FORWARDED",
    "X-FORWARDED-FOR",
    "X-FORWARDED-FROM",
    "CLIENT-IP",
    "VIA",
    "XROXY-CONNECTION",
    "PROXY-CONNECTION",
];

/// What the last line was, to which the next may belong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Last {
    #[default]
    Nothing,
    Ignored,
    Kept(usize),
    Proxied,
}

/// What is kept of a header section.
#[derive(Debug)]
pub(crate) struct Header {
    side: Side,
    kept: Vec<(Field, Vec<u8>)>,
    pub(crate) proxied: Vec<Vec<u8>>,
    /// The first valid Content-Length; known once the framing is.
    pub(crate) declared: Option<u64>,
    /// What Transfer-Encoding says, of which only the start is kept.
    pub(crate) codings: Codings,
    pub(crate) anomalies: Anomalies,
    /// Names of the fields that were cut.
    pub(crate) cut: Vec<&'static str>,
    last: Last,
}

impl Header {
    pub(crate) fn new(side: Side) -> Self {
        Self {
            side,
            kept: Vec::new(),
            proxied: Vec::new(),
            declared: None,
            codings: Codings::default(),
            anomalies: Anomalies::default(),
            cut: Vec::new(),
            last: Last::Nothing,
        }
    }

    /// Reads lines up to the empty one. What was read before an error is kept.
    ///
    /// # Errors
    /// As all reads; `TooLong` if the section does not end.
    pub(crate) async fn read(&mut self, stream: &mut ByteStream) -> Result<(), ReadError> {
        let start = stream.offset();
        loop {
            let part = stream.get_line_part(LINE_MAX).await?;
            let mut whole = part.last;
            if part.last && part.line.is_empty() {
                self.line_end(part.line);
                return Ok(());
            }
            self.line_end(part.line);
            self.line(part.line.bytes(), whole);
            while !whole {
                let part = stream.get_line_part(LINE_MAX).await?;
                self.rest_of_line(part.line.bytes());
                whole = part.last;
            }
            if stream.offset().saturating_sub(start) > SECTION_MAX {
                return Err(ReadError::TooLong { side: self.side, limit: LINE_MAX });
            }
        }
    }

    /// Checks how a line ends, and what must not be in it.
    pub(crate) fn line_end(&mut self, line: Line<'_>) {
        if line.is_bare_lf() {
            self.anomalies.add(Anomaly::BareLf);
        }
        match memchr2(b'\r', 0, line.bytes()).and_then(|at| line.bytes().get(at)) {
            Some(0) => self.anomalies.add(Anomaly::Nul),
            Some(_) => self.anomalies.add(Anomaly::BareCr),
            None => {}
        }
    }

    /// RFC 9112 §5: name, colon, value, with white space around the value.
    fn line(&mut self, line: &[u8], whole: bool) {
        if let [b' ' | b'\t', ..] = line {
            self.rest_of_line(line); // a fold is white space
            return self.continuation(trim(line), whole);
        }
        self.last = Last::Ignored;
        let Some((name, raw)) = memchr(b':', line).and_then(|at| {
            let (name, rest) = line.split_at_checked(at)?;
            Some((name, rest.get(1..)?))
        }) else {
            return self.anomalies.add(Anomaly::BadFieldLine);
        };
        let (bare, value) = (trim(name), trim(raw));
        if !is_token(bare) {
            return self.anomalies.add(Anomaly::BadFieldLine);
        }
        if bare.len() != name.len() {
            self.anomalies.add(Anomaly::SpaceBeforeColon);
        }
        if let Some(known) = KNOWN.iter().find(|known| same(bare, known.name)) {
            self.keep(known, value, whole);
            self.codings.end();
            self.rest_of_line(raw);
        } else if self.side == Side::Client
            && let Some(name) = PROXY_FIELDS.iter().find(|name| same(bare, name))
        {
            self.add_proxied(name, value, whole);
        }
    }

    /// What goes on with the field of the last line and must not be cut.
    fn rest_of_line(&mut self, rest: &[u8]) {
        let is_coding = match self.last {
            Last::Kept(at) => {
                self.kept.get(at).is_some_and(|(field, _)| *field == Field::TransferEncoding)
            }
            _ => false,
        };
        if is_coding {
            self.codings.feed(rest);
        }
    }

    fn keep(&mut self, known: &'static Known, value: &[u8], whole: bool) {
        let at = self.kept.iter().position(|(field, _)| *field == known.field);
        self.last = Last::Kept(at.unwrap_or(self.kept.len()));
        match at.and_then(|at| self.kept.get_mut(at)) {
            None => self.kept.push((known.field, value.to_vec())),
            Some((_, kept)) if known.list => {
                kept.extend_from_slice(b", ");
                kept.extend_from_slice(value);
            }
            Some(_) => {
                self.last = Last::Ignored;
                if known.field == Field::Host {
                    self.anomalies.add(Anomaly::DuplicateHost);
                }
                return;
            }
        }
        self.limit(whole);
    }

    fn add_proxied(&mut self, name: &str, value: &[u8], whole: bool) {
        if self.proxied.len() >= PROXIED_MAX {
            return mark("proxied", &mut self.cut);
        }
        self.proxied.push([name.as_bytes(), b" -> ", value].concat());
        self.last = Last::Proxied;
        self.limit(whole);
    }

    /// RFC 9112 §5.2: the line belongs to the field in the line before; the fold counts as a space.
    fn continuation(&mut self, rest: &[u8], whole: bool) {
        self.anomalies.add(Anomaly::ObsoleteFolding);
        let value = match self.last {
            // White space in front of the first field (RFC 9112 §2.2).
            Last::Nothing => return self.anomalies.add(Anomaly::BadFieldLine),
            Last::Ignored => None,
            Last::Kept(at) => self.kept.get_mut(at).map(|(_, value)| value),
            Last::Proxied => self.proxied.last_mut(),
        };
        if let Some(value) = value {
            if !matches!(value.last(), None | Some(b' ')) && !rest.is_empty() {
                value.push(b' ');
            }
            value.extend_from_slice(rest);
            self.limit(whole);
        }
    }

    /// Holds the value that has grown to its limit.
    fn limit(&mut self, whole: bool) {
        let (value, name) = match self.last {
            Last::Kept(at) => {
                let Some((field, value)) = self.kept.get_mut(at) else {
                    return;
                };
                let known = KNOWN.iter().find(|known| known.field == *field);
                let shown = known.map_or(["", ""], |known| known.shown);
                (value, if self.side == Side::Client { shown[0] } else { shown[1] })
            }
            _ => match self.proxied.last_mut() {
                Some(value) => (value, "proxied"),
                None => return,
            },
        };
        if !shorten(value, VALUE_MAX) | !whole && !name.is_empty() {
            mark(name, &mut self.cut);
            if name.ends_with("_content_length") || name.ends_with("_transfer_encoding") {
                self.anomalies.add(Anomaly::FramingCut);
            }
        }
    }

    /// The value of a field.
    pub(crate) fn get(&self, field: Field) -> Option<&[u8]> {
        let (_, value) = self.kept.iter().find(|(kept, _)| *kept == field)?;
        Some(value)
    }

    /// Hides the passwords in what names a place, unless secrets are shown.
    pub(crate) fn mask(&mut self, secrets: Secrets) {
        if secrets.are_shown() {
            return;
        }
        for (field, value) in &mut self.kept {
            match field {
                Field::Host | Field::Referer | Field::Location => mask_passwords(value),
                Field::Origin => mask_words(value),
                _ => {}
            }
        }
        for value in &mut self.proxied {
            mask_words(value);
        }
    }

    /// Drops a field that was dealt with.
    pub(crate) fn forget(&mut self, field: Field) {
        self.kept.retain(|(kept, _)| *kept != field);
    }

    /// The bytes that it takes to remember it, roughly.
    pub(crate) fn weight(&self) -> usize {
        let kept: usize = self.kept.iter().map(|(_, value)| value.len() + 32).sum();
        let proxied: usize = self.proxied.iter().map(|value| value.len() + 32).sum();
        kept + proxied
    }
}

/// Adds a name to a list, once.
pub(crate) fn mark(name: &'static str, list: &mut Vec<&'static str>) {
    if !list.contains(&name) {
        list.push(name);
    }
}
