//! From fragments to datagrams: IP reassembly, RFC 791 §3.2 and RFC 8200 §4.5.
//!
//! What a receiver does with fragments that contradict each other differs from system to system, so
//! whoever guesses can be shown something that the receiver never saw. Nothing is guessed here: a
//! datagram whose fragments overlap is given up as a whole (RFC 5722 §4, for IPv4 too), and what
//! still comes of it is dropped until its time is over. Only an exact copy of a fragment is
//! harmless, and ignored. A fragment that is wrong in itself is dropped alone, as RFC 8200 §4.5 has
//! it: otherwise anybody could blind us to a datagram that its receiver puts together regardless.
//!
//! ```text
//!               ┌───────── held: fragments wait for the rest ──────────┐
//!  fragment ───►│                                                      ├──► whole: handed out
//!               └──┬─────────────┬──────────────┬──────────────────────┘        │
//!                  │ timeout     │ no room      │ contradiction, cut            │
//!                  ▼             ▼              ▼                               ▼
//!               forgotten     forgotten     remembered until the timeout: given up, or whole
//! ```
//!
//! A datagram that came out whole is remembered by fingerprints of its fragments, so that copies of
//! them, which a mirror port makes of everything, neither bring it out twice nor wait for a rest that
//! is not coming. Anything else under the same id is a new datagram: 16 bits of id are soon used up.
//!
//! A fragment costs the time of a few lookups in ordered trees, however many there are and whatever
//! their addresses, ids and order.

mod fragment;
mod partial;
mod store;

use core::net::IpAddr;

use siphasher::sip::SipHasher13;

use crate::decode::{Fragment, VlanTags};
use crate::event::named;
use crate::{Counters, Limits, Timestamp};
use partial::{Part, Verdict};
use store::{Key, Past, Store};

/// What became of a fragment.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It waits for the rest of its datagram.
    Held,
    /// It completed its datagram.
    Whole(Datagram),
    /// It is wrong in itself and was dropped, or contradicts its datagram, which was given up. Told
    /// once for a datagram that is given up, and for each fragment that is wrong.
    Rejected(FragmentAnomaly),
    /// It was counted and dropped: a copy of another, cut by the capture, of a datagram that was
    /// given up, or there was no room.
    Dropped,
}

/// The payload of an IP packet that was put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Datagram {
    /// VLAN ids of the frame that carried the first part.
    pub(crate) vlan: VlanTags,
    /// The sending address.
    pub(crate) src: IpAddr,
    /// The receiving address.
    pub(crate) dst: IpAddr,
    /// The protocol, or for IPv6 the next header, that the first part tells.
    pub(crate) protocol: u8,
    /// The payload, at most 65,535 bytes.
    pub(crate) bytes: Vec<u8>,
    /// Sum of the lengths of the packets on the wire that carried it, IP headers included, in bytes.
    pub(crate) ip_len: u64,
    /// How many packets that were.
    pub(crate) fragments: u32,
}

named! {
    /// What was wrong with a fragment.
    FragmentAnomaly {
        /// It overlaps another one of its datagram, and is no copy of it.
        Overlap = "fragment_overlap",
        /// The packet would be larger than any IP packet can be.
        TooLarge = "fragment_too_large",
        /// It and another one of its datagram don't agree on where the datagram ends.
        Inconsistent = "fragment_inconsistent",
        /// Its length is zero, no multiple of 8 though more follows, or more than the frame had.
        BadLength = "fragment_bad_length",
        /// The datagram has more fragments than the limit allows.
        TooMany = "fragment_too_many",
    }
}

/// Puts datagrams together.
#[derive(Debug)]
pub(crate) struct Defragmenter {
    store: Store,
    max_fragments: usize,
    hash_key: [u64; 2],
}

impl Defragmenter {
    /// Makes a defragmenter that holds nothing.
    ///
    /// `hash_key` is the secret under which fragments of whole datagrams are remembered. Choose a
    /// random one for live traffic, so that nobody can make a fragment that passes for a copy.
    #[must_use]
    pub(crate) fn new(limits: &Limits, hash_key: [u64; 2]) -> Self {
        let max_fragments = usize::try_from(limits.frag_fragments).unwrap_or(usize::MAX);
        Self { store: Store::new(limits), max_fragments, hash_key }
    }

    /// Returns how many bytes are held, bookkeeping included. Never more than the limit `frag_total`.
    #[must_use]
    pub(crate) const fn held_bytes(&self) -> u64 {
        self.store.cost()
    }

    /// Returns the number of incomplete datagrams.
    #[must_use]
    #[cfg(test)]
    pub(crate) fn datagrams(&self) -> usize {
        self.store.held()
    }

    /// Takes a fragment.
    ///
    /// Fragments belong to one datagram if they agree in `scope`, addresses, id and, for IPv4,
    /// protocol. `scope` is any number that keeps apart what must not be mixed, such as VLANs. Time
    /// that goes back moves no timer.
    pub(crate) fn insert(
        &mut self,
        fragment: &Fragment<'_>,
        scope: u64,
        now: Timestamp,
        counters: &mut Counters,
    ) -> Outcome {
        self.store.expire(now, counters);
        if let Some(anomaly) = fragment.defect() {
            return reject(anomaly, counters);
        }
        let bytes = fragment.uncut();
        counters.frag_truncated += u64::from(bytes.is_none());
        if fragment.is_atomic() {
            return bytes.map_or(Outcome::Dropped, |bytes| Outcome::Whole(alone(fragment, bytes)));
        }
        let key = Key::new(fragment, scope);
        let part = bytes.map(|bytes| Part { start: fragment.offset, bytes, last: !fragment.more });
        let known = self.store.find(&key);
        if let Some(past) = known.and_then(|seq| self.store.past(seq)) {
            match past {
                Past::GivenUp => {
                    counters.frag_dropped += 1;
                    return Outcome::Dropped;
                }
                Past::Whole(prints) => {
                    if part.is_some_and(|part| prints.contain(part, self.hash_key)) {
                        counters.frag_duplicates += 1;
                        return Outcome::Dropped;
                    }
                }
            }
        }
        let known = known.filter(|&seq| self.store.recall(seq));
        let Some(part) = part else {
            // Without these bytes the datagram can't become whole, whichever part of it they are.
            if let Some(seq) = known.or_else(|| self.store.open(key, 0, counters)) {
                self.store.retire(seq, Past::GivenUp);
            }
            return Outcome::Dropped;
        };
        match known {
            Some(seq) => self.extend(seq, fragment, part, counters),
            None => match self.store.open(key, part.cost(), counters) {
                Some(seq) => self.add(seq, fragment, part, counters),
                None => Outcome::Dropped,
            },
        }
    }

    /// Moves time: gives up what is older than the limit `frag_timeout_ms`. Costs next to nothing if
    /// there is nothing to give up.
    pub(crate) fn expire(&mut self, now: Timestamp, counters: &mut Counters) {
        self.store.expire(now, counters);
    }

    /// Takes a fragment of a datagram that is held.
    fn extend(
        &mut self,
        seq: u64,
        fragment: &Fragment<'_>,
        part: Part<'_>,
        counters: &mut Counters,
    ) -> Outcome {
        let Some(partial) = self.store.partial(seq) else { return Outcome::Dropped };
        let anomaly = match partial.check(part) {
            Verdict::Duplicate => {
                counters.frag_duplicates += 1;
                return Outcome::Dropped;
            }
            Verdict::Contradiction(anomaly) => Some(anomaly),
            Verdict::New if partial.fragments() >= self.max_fragments => {
                Some(FragmentAnomaly::TooMany)
            }
            Verdict::New => None,
        };
        if let Some(anomaly) = anomaly {
            self.store.retire(seq, Past::GivenUp);
            return reject(anomaly, counters);
        }
        self.store.grow(seq, part.cost(), counters);
        self.add(seq, fragment, part, counters)
    }

    /// Adds a part for which there is room, unless its datagram was what had to make the room.
    fn add(
        &mut self,
        seq: u64,
        fragment: &Fragment<'_>,
        part: Part<'_>,
        counters: &mut Counters,
    ) -> Outcome {
        let Some(partial) = self.store.partial(seq) else { return Outcome::Dropped };
        counters.frag_tiny += u64::from(fragment.is_tiny());
        if !partial.add(fragment, part) {
            return Outcome::Held;
        }
        let (bytes, prints) = partial.join(self.hash_key);
        let datagram = Datagram {
            vlan: partial.vlan,
            src: fragment.src,
            dst: fragment.dst,
            protocol: partial.protocol,
            bytes,
            ip_len: partial.ip_len,
            fragments: u32::try_from(partial.fragments()).unwrap_or(u32::MAX),
        };
        self.store.retire(seq, Past::Whole(prints));
        counters.frag_whole += 1;
        Outcome::Whole(datagram)
    }
}

/// Makes a datagram of a fragment that is all of it.
fn alone(fragment: &Fragment<'_>, bytes: &[u8]) -> Datagram {
    let Fragment { vlan, src, dst, protocol, ip_len, .. } = *fragment;
    Datagram { vlan, src, dst, protocol, bytes: bytes.to_vec(), ip_len, fragments: 1 }
}

fn reject(anomaly: FragmentAnomaly, counters: &mut Counters) -> Outcome {
    *match anomaly {
        FragmentAnomaly::Overlap => &mut counters.frag_overlap,
        FragmentAnomaly::TooLarge => &mut counters.frag_too_large,
        FragmentAnomaly::Inconsistent => &mut counters.frag_inconsistent,
        FragmentAnomaly::BadLength => &mut counters.frag_bad_length,
        FragmentAnomaly::TooMany => &mut counters.frag_fragments_hit,
    } += 1;
    Outcome::Rejected(anomaly)
}

/// Returns the fingerprint of some bytes.
fn fingerprint(bytes: &[u8], secret: [u64; 2]) -> u64 {
    SipHasher13::new_with_keys(secret[0], secret[1]).hash(bytes)
}

#[cfg(test)]
mod tests;
