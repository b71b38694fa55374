//! The outcome of a flow in Zeek's terms.

use crate::event::named;
use crate::tcp::SideState;

named! {
    /// How far a flow got, as in the `conn_state` of Zeek's `conn.log`.
    ///
    /// For TCP it follows from the state that each side reached. Zeek moves the states with every
    /// SYN, FIN and RST; here only those move them that are believed, so a forged RST does not
    /// make a finished connection a reset one. The rules, first match first:
    ///
    /// | responder | originator | outcome |
    /// |---|---|---|
    /// | reset | SYN sent, or reset too and no payload on either side | `REJ` |
    /// | reset | inactive or midstream | `RSTRH` |
    /// | reset | other | `RSTR` |
    /// | inactive or midstream | reset, after a SYN and neither `H`, `A`, `F`, gap nor odd flags of its own | `RSTOS0` |
    /// | inactive or midstream | reset | `OTH` |
    /// | other | reset | `RSTO` |
    /// | closed | closed | `SF` |
    /// | inactive or midstream | closed | `SH` |
    /// | other | closed | `S2` |
    /// | closed | inactive or midstream | `SHR` |
    /// | closed | other | `S3` |
    /// | inactive | SYN sent | `S0` |
    /// | established | established | `S1` |
    /// | other | other | `OTH` |
    ///
    /// For UDP it says who sent anything: both `SF`, the originator `S0`, the responder `SHR`. What
    /// is neither TCP nor UDP is `OTH`.
    ConnState {
        /// A SYN, and no answer.
        S0 = "S0",
        /// Established, not closed.
        S1 = "S1",
        /// Established and closed by both sides; datagrams both ways.
        Sf = "SF",
        /// A SYN, answered with a RST.
        Rej = "REJ",
        /// Established, closed by the originator only.
        S2 = "S2",
        /// Established, closed by the responder only.
        S3 = "S3",
        /// Established, reset by the originator.
        Rsto = "RSTO",
        /// Reset by the responder.
        Rstr = "RSTR",
        /// A SYN and a RST of the originator, and nothing of the responder.
        Rstos0 = "RSTOS0",
        /// A SYN-ACK and a RST of the responder, and no SYN.
        Rstrh = "RSTRH",
        /// A SYN and a FIN of the originator, and no SYN-ACK.
        Sh = "SH",
        /// A SYN-ACK and a FIN of the responder, and no SYN; datagrams of the responder only.
        Shr = "SHR",
        /// Anything else, such as midstream traffic that was not closed.
        Oth = "OTH",
    }
}

impl ConnState {
    /// Returns the outcome of a TCP flow; `empty` if neither side sent payload.
    pub(crate) fn of_tcp([orig, resp]: [SideState; 2], empty: bool, history: &str) -> Self {
        use SideState::{Closed, Established, Inactive, SynAckSent, SynSent};
        let orig_inactive = orig.is_inactive();
        let resp_inactive = resp.is_inactive();
        match (orig, resp) {
            (_, resp) if resp.is_reset() => match orig {
                SynSent | SynAckSent => Self::Rej,
                orig if orig.is_reset() && empty => Self::Rej,
                _ if orig_inactive => Self::Rstrh,
                _ => Self::Rstr,
            },
            (orig, _) if orig.is_reset() => match (resp_inactive, only_syn_before_rst(history)) {
                (true, true) => Self::Rstos0,
                (true, false) => Self::Oth,
                (false, _) => Self::Rsto,
            },
            (Closed, Closed) => Self::Sf,
            (Closed, _) if resp_inactive => Self::Sh,
            (Closed, _) => Self::S2,
            (_, Closed) if orig_inactive => Self::Shr,
            (_, Closed) => Self::S3,
            (SynSent, Inactive) => Self::S0,
            (Established, Established) => Self::S1,
            _ => Self::Oth,
        }
    }

    /// Returns the outcome of a UDP flow by who sent something.
    pub(crate) const fn of_udp(orig: bool, resp: bool) -> Self {
        match (orig, resp) {
            (true, true) => Self::Sf,
            (true, false) => Self::S0,
            (false, true) => Self::Shr,
            (false, false) => Self::Oth,
        }
    }
}

/// Returns whether the originator's part of a history is a SYN and then a RST, with nothing between
/// that shows more than an attempt.
fn only_syn_before_rst(history: &str) -> bool {
    let history = history.strip_prefix('^').unwrap_or(history);
    let Some(rest) = history.strip_prefix('S') else { return false };
    rest.find('R').is_some_and(|at| !rest[..at].contains(['H', 'A', 'F', 'G', 'I', 'Q']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use SideState::{
        Closed, Established, Inactive, Partial, Reset, ResetClosed, SynAckSent, SynSent,
    };

    #[test]
    fn every_pair_of_states_has_zeeks_outcome() {
        let table = [
            ("S0", SynSent, Inactive),
            ("OTH", SynSent, Partial),
            ("OTH", SynAckSent, Inactive),
            ("S1", Established, Established),
            ("OTH", Established, Inactive),
            ("OTH", Partial, Partial),
            ("OTH", Partial, Established),
            ("OTH", SynSent, Established),
            ("SF", Closed, Closed),
            ("SH", Closed, Inactive),
            ("SH", Closed, Partial),
            ("S2", Closed, Established),
            ("SHR", Inactive, Closed),
            ("SHR", Partial, Closed),
            ("S3", Established, Closed),
            ("S3", SynSent, Closed),
            ("REJ", SynSent, Reset),
            ("REJ", SynAckSent, Reset),
            ("RSTRH", Inactive, Reset),
            ("RSTRH", Partial, Reset),
            ("RSTR", Established, Reset),
            ("RSTR", Closed, ResetClosed),
            ("RSTO", Reset, Established),
            ("RSTO", ResetClosed, Closed),
        ];
        for (name, orig, resp) in table {
            let state = ConnState::of_tcp([orig, resp], false, "ShADad");
            assert_eq!(state.name(), name, "{orig:?} {resp:?}");
        }
    }

    #[test]
    fn both_reset_is_a_rejection_only_without_payload() {
        assert_eq!(ConnState::of_tcp([Reset, Reset], true, "SrR"), ConnState::Rej);
        assert_eq!(ConnState::of_tcp([Reset, Reset], false, "ShADRr"), ConnState::Rstr);
    }

    #[test]
    fn reset_by_the_originator_alone_depends_on_the_history() {
        for (history, expected) in [
            ("SR", "RSTOS0"),
            ("^SR", "RSTOS0"),
            ("STdR", "RSTOS0"),
            ("SADR", "OTH"),
            ("SFR", "OTH"),
            ("DR", "OTH"),
            ("S", "OTH"),
        ] {
            let state = ConnState::of_tcp([Reset, Inactive], false, history);
            assert_eq!(state.name(), expected, "{history}");
        }
    }

    #[test]
    fn datagrams_count_by_who_sent_them() {
        assert_eq!(ConnState::of_udp(true, true), ConnState::Sf);
        assert_eq!(ConnState::of_udp(true, false), ConnState::S0);
        assert_eq!(ConnState::of_udp(false, true), ConnState::Shr);
        assert_eq!(ConnState::of_udp(false, false), ConnState::Oth);
    }
}
