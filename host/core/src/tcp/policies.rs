//! Which overlap policy holds for which receiver.

use core::net::IpAddr;
use core::str::FromStr;

use super::OverlapPolicy;
use crate::{FiveTuple, Side};

/// A range of addresses: all that have their first bits in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddrRange {
    first: IpAddr,
    prefix: u8,
}

impl AddrRange {
    /// Returns the range of addresses that share the first `prefix` bits of `addr`, or nothing if
    /// an address has no more than fewer bits.
    #[must_use]
    pub fn new(addr: IpAddr, prefix: u8) -> Option<Self> {
        let (width, bits) = bits(addr);
        (prefix <= width).then(|| Self { first: addr_of(addr, mask(bits, width, prefix)), prefix })
    }

    /// Returns whether an address is in the range. IPv4 and IPv6 have nothing in common.
    #[must_use]
    pub fn contains(&self, addr: IpAddr) -> bool {
        let (width, bits) = bits(addr);
        self.first.is_ipv4() == addr.is_ipv4()
            && addr_of(addr, mask(bits, width, self.prefix)) == self.first
    }
}

impl FromStr for AddrRange {
    type Err = OverlapPoliciesError;

    /// Reads `address/bits`, or an address alone.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || OverlapPoliciesError::Range(text.into());
        let (addr, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let addr: IpAddr = addr.parse().map_err(|_| error())?;
        let prefix = match prefix {
            Some(prefix) => prefix.parse().map_err(|_| error())?,
            None => bits(addr).0,
        };
        Self::new(addr, prefix).ok_or_else(error)
    }
}

/// Returns how many bits an address has, and the bits.
fn bits(addr: IpAddr) -> (u8, u128) {
    match addr {
        IpAddr::V4(addr) => (32, u128::from(addr.to_bits())),
        IpAddr::V6(addr) => (128, addr.to_bits()),
    }
}

/// Clears all but the first `prefix` of `width` bits.
fn mask(bits: u128, width: u8, prefix: u8) -> u128 {
    let rest = u32::from(width.saturating_sub(prefix));
    bits.checked_shr(rest).and_then(|bits| bits.checked_shl(rest)).unwrap_or(0)
}

/// Returns the address of the kind of `like` that has these bits.
fn addr_of(like: IpAddr, bits: u128) -> IpAddr {
    match like {
        IpAddr::V4(_) => IpAddr::V4(u32::try_from(bits).unwrap_or(0).into()),
        IpAddr::V6(_) => IpAddr::V6(bits.into()),
    }
}

/// A text that is no list of overlap policies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OverlapPoliciesError {
    /// Not the name of a policy.
    #[error("'{0}' is no overlap policy; there are first, last, bsd, linux, windows and solaris")]
    Policy(String),
    /// Not a range of addresses.
    #[error("'{0}' is no range of addresses such as 10.0.0.0/8 or 2001:db8::/32")]
    Range(String),
    /// The same range twice.
    #[error("'{0}' is there twice")]
    Twice(String),
    /// Two policies without a range.
    #[error("'{0}' would be the second policy without a range of addresses; there is one default")]
    SecondDefault(String),
}

/// The overlap policies of all receivers.
///
/// What a receiver makes of two copies of the same bytes depends on its system, so the policy of a
/// stream is that of the address which receives it. It is looked up once, when the flow opens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OverlapPolicies {
    default: OverlapPolicy,
    /// Longer prefixes before shorter ones.
    ranges: Vec<(AddrRange, OverlapPolicy)>,
}

impl From<OverlapPolicy> for OverlapPolicies {
    /// Has one policy hold for all.
    fn from(default: OverlapPolicy) -> Self {
        Self { default, ranges: Vec::new() }
    }
}

impl OverlapPolicies {
    /// Has a policy hold for a range of receivers. Where ranges overlap, the narrowest one counts,
    /// and of two equal ones the one that was added last.
    pub fn add(&mut self, range: AddrRange, policy: OverlapPolicy) {
        self.ranges.retain(|(other, _)| *other != range);
        let at = self.ranges.partition_point(|(other, _)| other.prefix > range.prefix);
        self.ranges.insert(at, (range, policy));
    }

    /// Returns the policy of a receiver.
    #[must_use]
    pub fn of(&self, receiver: IpAddr) -> OverlapPolicy {
        let found = self.ranges.iter().find(|(range, _)| range.contains(receiver));
        found.map_or(self.default, |(_, policy)| *policy)
    }

    /// Returns the policies of the streams of both sides.
    pub(crate) fn of_streams(&self, tuple: &FiveTuple) -> [OverlapPolicy; 2] {
        if self.ranges.is_empty() {
            return [self.default; 2];
        }
        Side::BOTH.map(|side| match side {
            Side::Orig => self.of(tuple.resp.addr),
            Side::Resp => self.of(tuple.orig.addr),
        })
    }
}

impl FromStr for OverlapPolicies {
    type Err = OverlapPoliciesError;

    /// Reads a list such as `linux,10.0.0.0/8=windows,2001:db8::/32=bsd`. An item without a range is
    /// the policy of all that no range names; if there is none, that is `first`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut policies = Self::default();
        let mut default = None;
        for item in text.split(',').map(str::trim) {
            match item.split_once('=') {
                Some((range, policy)) => {
                    let (range, policy) = (range.trim(), policy.trim());
                    let parsed: AddrRange = range.parse()?;
                    if policies.ranges.iter().any(|(other, _)| *other == parsed) {
                        return Err(OverlapPoliciesError::Twice(range.into()));
                    }
                    policies.add(parsed, policy.parse()?);
                }
                None if default.is_some() => {
                    return Err(OverlapPoliciesError::SecondDefault(item.into()));
                }
                None => default = Some(item.parse()?),
            }
        }
        policies.default = default.unwrap_or_default();
        Ok(policies)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use OverlapPolicy::{Bsd, First, Last, Linux, Solaris, Windows};

    fn policies(text: &str) -> OverlapPolicies {
        text.parse().unwrap()
    }

    fn of(policies: &OverlapPolicies, addr: &str) -> OverlapPolicy {
        policies.of(addr.parse().unwrap())
    }

    #[test]
    fn narrowest_range_counts() {
        let list = policies("10.0.0.0/8=windows, last ,10.1.2.3=bsd,10.1.0.0/16=solaris");
        for (addr, policy) in [
            ("10.9.9.9", Windows),
            ("10.1.9.9", Solaris),
            ("10.1.2.3", Bsd),
            ("10.1.2.4", Solaris),
            ("11.0.0.0", Last),
            ("::1", Last),
        ] {
            assert_eq!(of(&list, addr), policy, "{addr}");
        }
    }

    #[test]
    fn ranges_of_both_families_are_apart() {
        let list = policies("0.0.0.0/0=linux,2001:db8::/32=bsd");
        assert_eq!(of(&list, "255.255.255.255"), Linux);
        assert_eq!(of(&list, "2001:db8:ffff::1"), Bsd);
        assert_eq!(of(&list, "2001:db9::"), First);
        assert_eq!(of(&policies("::/0=last"), "1.2.3.4"), First);
    }

    #[test]
    fn bits_behind_the_prefix_do_not_matter() {
        assert_eq!(policies("10.255.255.255/8=last"), policies("10.0.0.0/8=last"));
    }

    #[test]
    fn range_added_again_is_replaced() {
        let mut list = policies("10.0.0.0/8=last");
        list.add("10.0.0.0/8".parse().unwrap(), Windows);
        assert_eq!(list, policies("10.0.0.0/8=windows"));
    }

    #[test]
    fn errors_say_what_is_wrong() {
        for (text, error) in [
            ("", "'' is no overlap policy; there are first, last, bsd, linux, windows and solaris"),
            (
                "10.0.0.0/8=os2",
                "'os2' is no overlap policy; there are first, last, bsd, linux, windows and solaris",
            ),
            (
                "10.0.0.0/33=last",
                "'10.0.0.0/33' is no range of addresses such as 10.0.0.0/8 or 2001:db8::/32",
            ),
            ("ten/8=last", "'ten/8' is no range of addresses such as 10.0.0.0/8 or 2001:db8::/32"),
            (
                "10.0.0.0/=last",
                "'10.0.0.0/' is no range of addresses such as 10.0.0.0/8 or 2001:db8::/32",
            ),
            ("10.0.0.0/8=last,10.1.0.0/8=bsd", "'10.1.0.0/8' is there twice"),
            (
                "first,bsd",
                "'bsd' would be the second policy without a range of addresses; there is one default",
            ),
        ] {
            let found = text.parse::<OverlapPolicies>().unwrap_err().to_string();
            assert_eq!(found, error);
        }
    }
}
