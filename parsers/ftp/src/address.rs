//! Addresses of data connections, as commands and replies write them.

use std::net::{IpAddr, Ipv4Addr};

use crate::reply::decimal;

/// An address and a port; the address is absent where the form has none or the one that stands for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) address: Option<IpAddr>,
    pub(crate) port: u16,
}

/// Six numbers with commas between (RFC 959 §4.1.2): the argument of PORT.
pub(crate) fn port(argument: &[u8]) -> Option<Told> {
    let mut rest = argument.trim_ascii();
    let mut numbers = [0; 6];
    for (index, number) in numbers.iter_mut().enumerate() {
        if index > 0 {
            rest = rest.strip_prefix(b",")?.trim_ascii_start();
        }
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, behind) = rest.split_at_checked(digits)?;
        *number = u8::try_from(decimal(digits)?).ok()?;
        rest = behind.trim_ascii_start();
    }
    let [a, b, c, d, high, low] = numbers;
    told(Ipv4Addr::new(a, b, c, d).into(), u16::from_be_bytes([high, low]))
}

/// The reply to PASV. RFC 1123 §4.1.2.6: the numbers may stand anywhere in it, with or without parentheses.
pub(crate) fn pasv(message: &[u8]) -> Option<Told> {
    let mut rest = message;
    loop {
        let start = rest.iter().position(u8::is_ascii_digit)?;
        rest = rest.get(start..)?;
        if let Some(told) = port(rest) {
            return Some(told);
        }
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        rest = rest.get(digits..)?;
    }
}

/// RFC 2428 §2: `|1|132.235.1.2|6275|`, with any byte for the bars: the argument of EPRT.
pub(crate) fn eprt(argument: &[u8]) -> Option<Told> {
    let [_, address, port] = fields(argument.trim_ascii())?;
    let address: IpAddr = std::str::from_utf8(address).ok()?.parse().ok()?;
    told(address, u16::try_from(decimal(port)?).ok()?)
}

/// RFC 2428 §3: `(|||6446|)` in the reply to EPSV. Some servers give an address too.
pub(crate) fn epsv(message: &[u8]) -> Option<Told> {
    let start = message.iter().position(|byte| *byte == b'(')?;
    let [_, address, port] = fields(message.get(start..)?.get(1..)?)?;
    let port = u16::try_from(decimal(port)?).ok()?;
    let address = std::str::from_utf8(address).ok().and_then(|address| address.parse().ok());
    match address {
        Some(address) => told(address, port),
        None => (port > 0).then_some(Told { address: None, port }),
    }
}

/// Three fields, each behind the delimiter that the text begins with, and the delimiter again.
fn fields(text: &[u8]) -> Option<[&[u8]; 3]> {
    let (delimiter, rest) = text.split_first()?;
    let mut fields = rest.split(|byte| byte == delimiter);
    let three = [fields.next()?, fields.next()?, fields.next()?];
    fields.next().map(|_| three)
}

fn told(address: IpAddr, port: u16) -> Option<Told> {
    let address = (!address.is_unspecified()).then_some(address);
    (port > 0).then_some(Told { address, port })
}

#[cfg(test)]
mod tests {
    use super::{Told, eprt, epsv, pasv, port};

    fn shown(told: Option<Told>) -> String {
        let address = |told: Told| told.address.map_or("-".into(), |address| address.to_string());
        told.map_or("none".into(), |told| format!("{} {}", address(told), told.port))
    }

    #[test]
    fn arguments_of_port() {
        assert_eq!(shown(port(b"10,0,0,1,4,210")), "10.0.0.1 1234");
        assert_eq!(shown(port(b" 10, 0,0,1 ,4,210 ")), "10.0.0.1 1234");
        assert_eq!(shown(port(b"0,0,0,0,0,21")), "- 21");
        for wrong in ["10,0,0,1,4", "10,0,0,256,4,1", "10,0,0,1,0,0", "", ",,,,,", "a,b,c,d,e,f"] {
            assert_eq!(port(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn replies_to_pasv() {
        assert_eq!(shown(pasv(b"Entering Passive Mode (10,0,0,1,4,210).")), "10.0.0.1 1234");
        assert_eq!(shown(pasv(b"=10,0,0,1,4,210")), "10.0.0.1 1234");
        assert_eq!(shown(pasv(b"mode 2 at 10,0,0,1,4,210")), "10.0.0.1 1234");
        assert_eq!(pasv(b"Entering Passive Mode (1,2,3)"), None);
        assert_eq!(pasv(b"9999999999999999999999999,1,2,3,4,5"), None);
        assert_eq!(pasv(b""), None);
    }

    #[test]
    fn extended_forms() {
        assert_eq!(shown(eprt(b"|1|132.235.1.2|6275|")), "132.235.1.2 6275");
        assert_eq!(shown(eprt(b"!2!1080::8:800:200C:417A!5282!")), "1080::8:800:200c:417a 5282");
        for wrong in ["|1|132.235.1.2|6275", "|1|x|1|", "|1|1.2.3.4|0|", "|1|1.2.3.4|65536|", ""] {
            assert_eq!(eprt(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!(shown(epsv(b"Entering Extended Passive Mode (|||6446|)")), "- 6446");
        assert_eq!(shown(epsv(b"ok (|1|10.0.0.1|6446|)")), "10.0.0.1 6446");
        for wrong in ["ok", "(", "(||6446|)", "(|||6446)", "(|||0|)", "(|||x|)"] {
            assert_eq!(epsv(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
