//! What the operator says of who parses which flows.

use std::str::FromStr;

use flowcell_core::{FiveTuple, Side, Transport};

/// `--map`: flows to a server port, or all flows, that go to one parser whatever they look like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapping(Vec<Rule>);

/// One `[tcp/|udp/]PORT=PARSER`, where `*` is any port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    transport: Option<Transport>,
    port: Option<u16>,
    parser: String,
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = || {
            format!(
                "`{text}` is not [tcp/|udp/]PORT=PARSER, for instance tcp/8025=smtp or *=stream"
            )
        };
        let (flows, parser) = text.split_once('=').ok_or_else(wanted)?;
        let (transport, port) = match flows.split_once('/') {
            Some(("tcp", port)) => (Some(Transport::Tcp), port),
            Some(("udp", port)) => (Some(Transport::Udp), port),
            Some(_) => return Err(wanted()),
            None => (None, flows),
        };
        let port = match port {
            "*" => None,
            port => Some(port.parse().ok().filter(|port| *port > 0).ok_or_else(wanted)?),
        };
        if parser.is_empty() {
            return Err(wanted());
        }
        Ok(Self { transport, port, parser: parser.into() })
    }
}

impl Rule {
    /// The parser's name.
    #[must_use]
    pub fn parser(&self) -> &str {
        &self.parser
    }
}

impl Mapping {
    /// With these rules, of which the first that fits counts.
    #[must_use]
    pub const fn new(rules: Vec<Rule>) -> Self {
        Self(rules)
    }

    /// Who gets a flow, and which endpoint is its server, if a port says that.
    pub(super) fn parser(&self, tuple: &FiveTuple, guess: bool) -> Option<(&str, Option<Side>)> {
        let transport = |rule: &&Rule| match rule.transport {
            Some(transport) => transport == tuple.transport,
            None => matches!(tuple.transport, Transport::Tcp | Transport::Udp),
        };
        self.0.iter().filter(transport).find_map(|rule| {
            let server = match rule.port {
                None => None,
                Some(port) if port == tuple.resp.port => Some(Side::Resp),
                Some(port) if guess && port == tuple.orig.port => Some(Side::Orig),
                Some(_) => return None,
            };
            Some((rule.parser.as_str(), server))
        })
    }
}

#[cfg(test)]
mod tests {
    use flowcell_core::Endpoint;

    use super::*;

    fn tuple(transport: Transport, orig: u16, resp: u16) -> FiveTuple {
        let endpoint = |port| Endpoint { addr: [10, 0, 0, 1].into(), port };
        FiveTuple { orig: endpoint(orig), resp: endpoint(resp), transport }
    }

    #[test]
    fn the_first_rule_that_fits_counts() {
        let rules = ["tcp/25=a", "25=b", "udp/*=c"].map(|rule| rule.parse().expect("a rule"));
        let mapping = Mapping::new(rules.into());
        let parser =
            |transport, orig, resp, guess| mapping.parser(&tuple(transport, orig, resp), guess);
        assert_eq!(parser(Transport::Tcp, 9, 25, false), Some(("a", Some(Side::Resp))));
        assert_eq!(parser(Transport::Tcp, 25, 9, false), None);
        assert_eq!(parser(Transport::Tcp, 25, 9, true), Some(("a", Some(Side::Orig))));
        assert_eq!(parser(Transport::Udp, 9, 25, false), Some(("b", Some(Side::Resp))));
        assert_eq!(parser(Transport::Udp, 9, 8, false), Some(("c", None)));
        assert_eq!(parser(Transport::Icmp, 9, 25, false), None);
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for text in
            ["", "25", "=smtp", "25=", "sctp/25=smtp", "tcp/0=smtp", "tcp/65536=smtp", "tcp/=a"]
        {
            let error = text.parse::<Rule>().expect_err(text);
            assert!(error.contains("PORT=PARSER"), "{error}");
        }
    }
}
