//! The extensions that logs show: basic constraints and alternative names.

use std::net::IpAddr;

use crate::certificate::Certificate;
use crate::der::{BOOLEAN, Elements, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, context, unsigned};
use crate::{MAX_ALTERNATIVE_NAME, MAX_ALTERNATIVE_NAMES, oid};

/// RFC 5280 §4.1.2.9: extensions, each with an identifier, a flag and an octet string.
pub(crate) fn read(mut list: Elements<'_>, certificate: &mut Certificate) -> Option<()> {
    while !list.is_empty() {
        let mut extension = list.sequence()?;
        let kind = extension.expect(OBJECT_IDENTIFIER)?.content;
        let _critical = extension.optional(BOOLEAN);
        let value = extension.expect(OCTET_STRING)?.elements();
        match kind {
            oid::BASIC_CONSTRAINTS => basic_constraints(value, certificate)?,
            oid::SUBJECT_ALT_NAME => alternative_names(value, certificate)?,
            _ => {}
        }
    }
    Some(())
}

/// RFC 5280 §4.2.1.9.
fn basic_constraints(mut value: Elements<'_>, certificate: &mut Certificate) -> Option<()> {
    let mut constraints = value.sequence()?;
    let ca = constraints.optional(BOOLEAN);
    certificate.ca = Some(ca.is_some_and(|ca| ca.content.first().is_some_and(|flag| *flag != 0)));
    certificate.path_len =
        constraints.optional(INTEGER).and_then(|length| unsigned(length.content));
    Some(())
}

/// RFC 5280 §4.2.1.6.
fn alternative_names(mut value: Elements<'_>, certificate: &mut Certificate) -> Option<()> {
    const EMAIL: u8 = context(1);
    const DNS: u8 = context(2);
    const URI: u8 = context(6);
    const ADDRESS: u8 = context(7);
    let mut names = value.sequence()?;
    let mut count = 0;
    while !names.is_empty() {
        let name = names.next()?;
        let list = match name.tag {
            EMAIL => &mut certificate.san_email,
            DNS => &mut certificate.san_dns,
            URI => &mut certificate.san_uri,
            ADDRESS => {
                if count == MAX_ALTERNATIVE_NAMES {
                    certificate.cut = true;
                } else if let Some(address) = address(name.content) {
                    certificate.san_ip.push(address);
                    count += 1;
                }
                continue;
            }
            _ => {
                certificate.other_names = true;
                continue;
            }
        };
        if count == MAX_ALTERNATIVE_NAMES {
            certificate.cut = true;
            continue;
        }
        let kept = name.content.get(..MAX_ALTERNATIVE_NAME);
        certificate.cut |= kept.is_some() && name.content.len() > MAX_ALTERNATIVE_NAME;
        list.push(kept.unwrap_or(name.content).to_vec());
        count += 1;
    }
    Some(())
}

fn address(content: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(content) {
        return Some(four.into());
    }
    <[u8; 16]>::try_from(content).ok().map(IpAddr::from)
}
