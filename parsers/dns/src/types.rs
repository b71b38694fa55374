//! What numbers are called: types, classes, response codes, operations.

use flowcell_sdk::Text;

use crate::text;

/// Registered types: number, name, and the form of their data (see [`rdata`](crate::rdata)); without
/// one, data is shown as RFC 3597 has it. IANA, "Domain Name System (DNS) Parameters".
#[rustfmt::skip]
const TYPES: &[(u16, &str, &str)] = &[
    (1, "A", "a"), (2, "NS", "n"), (3, "MD", "n"), (4, "MF", "n"), (5, "CNAME", "n"),
    (6, "SOA", "nn44444"), (7, "MB", "n"), (8, "MG", "n"), (9, "MR", "n"), (10, "NULL", ""),
    (11, "WKS", ""), (12, "PTR", "n"), (13, "HINFO", "ss"), (14, "MINFO", "nn"), (15, "MX", "2n"),
    (16, "TXT", "S"), (17, "RP", "nn"), (18, "AFSDB", "2n"), (19, "X25", "s"), (20, "ISDN", "S"),
    (21, "RT", "2n"), (22, "NSAP", ""), (23, "NSAP-PTR", "n"), (24, "SIG", "T114tt2nb"),
    (25, "KEY", "211b"), (26, "PX", "2nn"), (27, "GPOS", "sss"), (28, "AAAA", "A"), (29, "LOC", "L"),
    (30, "NXT", ""), (31, "EID", ""), (32, "NIMLOC", ""), (33, "SRV", "222n"), (34, "ATMA", ""),
    (35, "NAPTR", "22sssn"), (36, "KX", "2n"), (37, "CERT", "221b"), (38, "A6", ""),
    (39, "DNAME", "n"), (40, "SINK", ""), (41, "OPT", ""), (42, "APL", ""), (43, "DS", "211x"),
    (44, "SSHFP", "11x"), (45, "IPSECKEY", ""), (46, "RRSIG", "T114tt2nb"), (47, "NSEC", "nm"),
    (48, "DNSKEY", "211b"), (49, "DHCID", "b"), (50, "NSEC3", "112hHm"), (51, "NSEC3PARAM", "112h"),
    (52, "TLSA", "111x"), (53, "SMIMEA", "111x"), (55, "HIP", ""), (56, "NINFO", "S"),
    (57, "RKEY", "211b"), (58, "TALINK", "nn"), (59, "CDS", "211x"), (60, "CDNSKEY", "211b"),
    (61, "OPENPGPKEY", "b"), (62, "CSYNC", "42m"), (63, "ZONEMD", "411x"), (64, "SVCB", "2nv"),
    (65, "HTTPS", "2nv"), (66, "DSYNC", "T12n"), (67, "HHIT", "b"), (68, "BRID", "b"),
    (99, "SPF", "S"), (100, "UINFO", ""), (101, "UID", ""), (102, "GID", ""), (103, "UNSPEC", ""),
    (104, "NID", "2g"), (105, "L32", "2a"), (106, "L64", "2g"), (107, "LP", "2n"), (108, "EUI48", "e"),
    (109, "EUI64", "e"), (128, "NXNAME", ""), (249, "TKEY", ""), (250, "TSIG", "n62z22z"),
    (251, "IXFR", ""), (252, "AXFR", ""), (253, "MAILB", ""), (254, "MAILA", ""), (255, "*", ""),
    (256, "URI", "22q"), (257, "CAA", "1kq"), (258, "AVC", "S"), (259, "DOA", ""),
    (260, "AMTRELAY", ""), (261, "RESINFO", "S"), (262, "WALLET", "S"), (263, "CLA", "S"),
    (264, "IPN", ""), (32768, "TA", "211x"), (32769, "DLV", "211x"),
];

/// The type of the record that EDNS is in (RFC 6891).
pub(crate) const OPT: u16 = 41;

fn registered(number: u16) -> Option<&'static (u16, &'static str, &'static str)> {
    let index = TYPES.binary_search_by_key(&number, |(known, ..)| *known).ok()?;
    TYPES.get(index)
}

/// The form of a type's data, if it is known.
pub(crate) fn form(number: u16) -> &'static str {
    registered(number).map_or("", |(_, _, form)| form)
}

/// A type's name, `TYPE1234` for one that has none (RFC 3597 §5).
pub(crate) fn type_name(number: u16) -> Text<'static> {
    named(registered(number).map(|(_, name, _)| *name), "TYPE", number)
}

/// Appends a type's name.
pub(crate) fn push_type(out: &mut Vec<u8>, number: u16) {
    out.extend_from_slice(&type_name(number).0);
}

/// Appends a class' name as master files have it.
pub(crate) fn push_class(out: &mut Vec<u8>, number: u16) {
    let name = match number {
        1 => Some("IN"),
        3 => Some("CH"),
        4 => Some("HS"),
        254 => Some("NONE"),
        255 => Some("ANY"),
        _ => None,
    };
    out.extend_from_slice(&named(name, "CLASS", number).0);
}

/// A class' name as Zeek has it; others as RFC 3597.
pub(crate) fn qclass_name(number: u16) -> Text<'static> {
    let name = match number {
        1 => Some("C_INTERNET"),
        2 => Some("C_CSNET"),
        3 => Some("C_CHAOS"),
        4 => Some("C_HESIOD"),
        254 => Some("C_NONE"),
        255 => Some("C_ANY"),
        _ => None,
    };
    named(name, "CLASS", number)
}

/// A response code's name.
pub(crate) fn rcode_name(number: u16) -> Text<'static> {
    const NAMES: [&str; 12] = [
        "NOERROR",
        "FORMERR",
        "SERVFAIL",
        "NXDOMAIN",
        "NOTIMP",
        "REFUSED",
        "YXDOMAIN",
        "YXRRSET",
        "NXRRSet",
        "NOTAUTH",
        "NOTZONE",
        "DSOTYPENI",
    ];
    const EXTENDED: [&str; 8] =
        ["BADVERS", "BADKEY", "BADTIME", "BADMODE", "BADNAME", "BADALG", "BADTRUNC", "BADCOOKIE"];
    let index = usize::from(number);
    let name = NAMES.get(index).or_else(|| EXTENDED.get(index.wrapping_sub(16)));
    named(name.copied(), "RCODE", number)
}

/// An operation's name, as Zeek has it.
pub(crate) fn opcode_name(number: u8) -> Text<'static> {
    let name = match number {
        0 => Some("query"),
        1 => Some("iquery"),
        2 => Some("server-status"),
        4 => Some("notify"),
        5 => Some("dynamic-update"),
        6 => Some("dso"),
        _ => None,
    };
    named(name, "opcode-", number.into())
}

fn named(name: Option<&'static str>, prefix: &str, number: u16) -> Text<'static> {
    if let Some(name) = name {
        return name.into();
    }
    let mut out = prefix.as_bytes().to_vec();
    text::decimal(&mut out, number.into());
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_in_order() {
        assert!(TYPES.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn names() {
        for (number, name) in
            [(1, "A"), (65, "HTTPS"), (255, "*"), (257, "CAA"), (32769, "DLV"), (1234, "TYPE1234")]
        {
            assert_eq!(type_name(number), name.into());
        }
        for (number, name) in
            [(0, "NOERROR"), (3, "NXDOMAIN"), (16, "BADVERS"), (23, "BADCOOKIE"), (12, "RCODE12")]
        {
            assert_eq!(rcode_name(number), name.into());
        }
        assert_eq!(qclass_name(1), "C_INTERNET".into());
        assert_eq!(opcode_name(3), "opcode-3".into());
        assert_eq!(qclass_name(1232), "CLASS1232".into());
    }
}
