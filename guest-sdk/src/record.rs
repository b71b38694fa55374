//! What a parser can emit.

use std::borrow::Cow;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

use crate::cbor::Encoder;
use crate::{Flow, Result, Side, Transport};

/// A parser as `#[parser]` describes it.
#[derive(Debug)]
pub struct ParserDef {
    /// The protocol's name, as it appears in records.
    pub name: &'static str,
    /// The version of the crate.
    pub version: &'static str,
    /// The function's doc comment.
    pub doc: &'static str,
    /// Server ports that it is usually found at over TCP.
    pub tcp_ports: &'static [u16],
    /// Server ports that it is usually found at over UDP.
    pub udp_ports: &'static [u16],
    /// How its flows begin, on any port.
    pub patterns: &'static [Pattern],
    /// It calls [`Flow::expect`].
    pub expects: bool,
    /// The records that it may emit.
    pub records: &'static [&'static Schema],
    /// Starts the parser on a flow.
    pub start: fn(Flow) -> Running,
}

/// How one side of a protocol begins.
#[derive(Debug, Clone, Copy)]
pub struct Pattern {
    /// Over TCP or UDP.
    pub transport: Transport,
    /// Whose bytes.
    pub side: Side,
    /// A regular expression over bytes, anchored at the first byte of the side or of a datagram.
    pub regex: &'static str,
}

/// A parser at work: the state machine that the compiler made of the async function.
pub type Running = Pin<Box<dyn Future<Output = Result<()>>>>;

/// The published form of a record or object.
#[derive(Debug)]
pub struct Schema {
    /// In `snake_case`.
    pub name: &'static str,
    /// The type's doc comment.
    pub doc: &'static str,
    /// In the order of declaration.
    pub fields: &'static [Field],
}

/// One field of a [`Schema`].
#[derive(Debug)]
pub struct Field {
    /// In `snake_case`.
    pub name: &'static str,
    /// The field's doc comment.
    pub doc: &'static str,
    /// What it holds.
    pub ty: FieldType,
}

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub struct FieldType {
    /// The type of one value.
    pub kind: Kind,
    /// It may be absent.
    pub optional: bool,
    /// It is a list of such values.
    pub repeated: bool,
}

/// The type of one value; see `wit/parser.wit` for its form in CBOR.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the names say it, and the contract says the rest")]
pub enum Kind {
    Boolean,
    Unsigned,
    Signed,
    Real,
    Text,
    Bytes,
    Time,
    Address,
    Object(&'static Schema),
}

/// A struct that can be emitted. Derive it: the fields' doc comments become the published schema.
pub trait Record: Value {
    /// Name, doc and fields.
    const SCHEMA: &'static Schema;

    /// Writes all fields as one CBOR array.
    fn encode_fields(&self, out: &mut Encoder<'_>);
}

/// A type that a field of a record can have.
///
/// Bytes from the wire say what they are:
///
/// ```compile_fail
/// use flowcell_sdk::prelude::*;
///
/// /// A message.
/// #[derive(Record)]
/// struct Bad {
///     /// What it says.
///     body: Vec<u8>, // Text or Bytes?
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` can not be a field of a record",
    note = "wrap bytes from the wire in `Text` (shown as text) or `Bytes` (shown as base64)"
)]
pub trait Value {
    /// What the schema says of it.
    const TYPE: FieldType;

    /// Writes it as one CBOR item.
    fn encode(&self, out: &mut Encoder<'_>);
}

/// A [`Value`] that a list can hold. Not `u8`, so that nobody emits bytes as a list of numbers; not
/// an option or a list.
#[diagnostic::on_unimplemented(
    message = "a list of `{Self}` can not be a field of a record",
    note = "wrap bytes from the wire in `Text` (shown as text) or `Bytes` (shown as base64)"
)]
pub trait Element: Value {}

const fn one(kind: Kind) -> FieldType {
    FieldType { kind, optional: false, repeated: false }
}

/// What a derived record says of itself when it is a field of another.
#[doc(hidden)]
#[must_use]
pub const fn object(schema: &'static Schema) -> FieldType {
    one(Kind::Object(schema))
}

macro_rules! values {
    ($($type:ty: $kind:ident, |$self:ident, $out:ident| $encode:expr;)*) => {
        $(
            impl Value for $type {
                const TYPE: FieldType = one(Kind::$kind);

                fn encode(&self, $out: &mut Encoder<'_>) {
                    let $self = self;
                    $encode;
                }
            }
        )*
    };
}

values! {
    bool: Boolean, |v, out| out.boolean(*v);
    u8: Unsigned, |v, out| out.unsigned(u64::from(*v));
    u16: Unsigned, |v, out| out.unsigned(u64::from(*v));
    u32: Unsigned, |v, out| out.unsigned(u64::from(*v));
    u64: Unsigned, |v, out| out.unsigned(*v);
    usize: Unsigned, |v, out| out.unsigned(*v as u64);
    i8: Signed, |v, out| out.signed(i64::from(*v));
    i16: Signed, |v, out| out.signed(i64::from(*v));
    i32: Signed, |v, out| out.signed(i64::from(*v));
    i64: Signed, |v, out| out.signed(*v);
    f64: Real, |v, out| out.real(*v);
    str: Text, |v, out| out.text(v.as_bytes());
    String: Text, |v, out| out.text(v.as_bytes());
    Text<'_>: Text, |v, out| out.text(&v.0);
    Bytes<'_>: Bytes, |v, out| out.bytes(&v.0);
    Timestamp: Time, |v, out| out.unsigned(v.0);
    IpAddr: Address, |v, out| match v {
        Self::V4(v4) => out.bytes(&v4.octets()),
        Self::V6(v6) => out.bytes(&v6.octets()),
    };
}

macro_rules! elements {
    ($($type:ty)*) => { $(impl Element for $type {})* };
}

elements! {
    bool u16 u32 u64 usize i8 i16 i32 i64 f64 &str String Text<'_> Bytes<'_> Timestamp IpAddr
}

impl<T: Value + ?Sized> Value for &T {
    const TYPE: FieldType = T::TYPE;

    fn encode(&self, out: &mut Encoder<'_>) {
        T::encode(self, out);
    }
}

impl<T: Value> Value for Option<T> {
    const TYPE: FieldType = FieldType { optional: true, ..T::TYPE };

    fn encode(&self, out: &mut Encoder<'_>) {
        match self {
            Some(value) => value.encode(out),
            None => out.null(),
        }
    }
}

impl<T: Element> Value for Vec<T> {
    const TYPE: FieldType = FieldType { repeated: true, ..T::TYPE };

    fn encode(&self, out: &mut Encoder<'_>) {
        out.array(self.len());
        for value in self {
            value.encode(out);
        }
    }
}

/// Text from the wire. It should be UTF-8 and may be anything: the host marks what is not.
///
/// Made by `.into()` from `&[u8]`, `&str`, `Vec<u8>` or `String`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Text<'a>(pub Cow<'a, [u8]>);

impl Text<'_> {
    /// A copy that does not borrow from the stream.
    #[must_use]
    pub fn into_owned(self) -> Text<'static> {
        Text(Cow::Owned(self.0.into_owned()))
    }
}

impl<'a> From<&'a [u8]> for Text<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self(Cow::Borrowed(bytes))
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self::from(text.as_bytes())
    }
}

impl From<Vec<u8>> for Text<'static> {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Cow::Owned(bytes))
    }
}

impl From<String> for Text<'static> {
    fn from(text: String) -> Self {
        Self::from(text.into_bytes())
    }
}

/// Bytes that are not text. Shown as base64.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Bytes<'a>(pub Cow<'a, [u8]>);

impl<'a> From<&'a [u8]> for Bytes<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self(Cow::Borrowed(bytes))
    }
}

impl From<Vec<u8>> for Bytes<'static> {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Cow::Owned(bytes))
    }
}

/// Nanoseconds since the Unix epoch, from the capture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Timestamp(pub u64);
