//! What happens to frames between the sender and the capture.

use std::str::FromStr;

use crate::rng::Rng;

/// A share of frames, in millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(u32);

/// A rate that is not a number from 0 to 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no rate: give a number from 0 to 1, such as 0.01, or 1%")]
pub struct RateError(String);

impl Rate {
    const WHOLE: u32 = 1_000_000;

    /// So many in a million; more than a million is a million.
    #[must_use]
    pub const fn per_million(frames: u32) -> Self {
        Self(if frames > Self::WHOLE { Self::WHOLE } else { frames })
    }

    pub(crate) const fn hits(self, rng: &mut Rng) -> bool {
        self.0 > 0 && rng.below(Self::WHOLE) < self.0
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let (number, whole) = match text.strip_suffix('%') {
            Some(percent) => (percent, 100.0),
            None => (text, 1.0),
        };
        let rate = number.parse::<f64>().map_err(|_| RateError(text.into()))? / whole;
        if !(0.0..=1.0).contains(&rate) {
            return Err(RateError(text.into()));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 0 to a million, as checked above"
        )]
        let millionths = (rate * f64::from(Self::WHOLE)).round() as u32;
        Ok(Self(millionths))
    }
}

/// How often what happens. Loss and duplicates hit every frame, the others only TCP segments with
/// data. A segment suffers one of them at most; the rates together may not be more than 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Impairments {
    /// The capture lacks the frame, but the other side got it and goes on acknowledging.
    pub loss: Rate,
    /// The network loses the segment; it is sent again 3 to 12 frames of its flow later.
    pub retransmit: Rate,
    /// The segment comes after one of the next 8 frames of its flow.
    pub reorder: Rate,
    /// The frame comes a second time, 1 to 30 frames of its flow later.
    pub duplicate: Rate,
    /// A segment starts up to 200 bytes before those that were not sent yet: half of the time one
    /// with new bytes behind the old ones, else a retransmission.
    pub overlap: Rate,
    /// A retransmission that starts up to 200 bytes earlier carries other bytes than were sent; the
    /// true ones come first. Some of them hit bytes that wait behind a hole.
    pub conflict: Rate,
}

/// What one frame suffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Fine,
    Lost,
    Retransmitted,
    Reordered,
    Duplicated,
    Overlapping,
    Conflicting,
}

impl Impairments {
    pub(crate) const fn total(&self) -> u64 {
        self.loss.0 as u64
            + self.retransmit.0 as u64
            + self.reorder.0 as u64
            + self.duplicate.0 as u64
            + self.overlap.0 as u64
            + self.conflict.0 as u64
    }

    pub(crate) const fn possible(&self) -> bool {
        self.total() <= Rate::WHOLE as u64
    }

    /// The fate of a segment with data.
    pub(crate) fn of_segment(&self, rng: &mut Rng) -> Fate {
        if self.total() == 0 {
            return Fate::Fine;
        }
        let mut drawn = rng.below(Rate::WHOLE);
        for (rate, fate) in [
            (self.loss, Fate::Lost),
            (self.retransmit, Fate::Retransmitted),
            (self.reorder, Fate::Reordered),
            (self.duplicate, Fate::Duplicated),
            (self.overlap, Fate::Overlapping),
            (self.conflict, Fate::Conflicting),
        ] {
            if drawn < rate.0 {
                return fate;
            }
            drawn -= rate.0;
        }
        Fate::Fine
    }

    /// The fate of any other frame.
    pub(crate) const fn of_frame(&self, rng: &mut Rng) -> Fate {
        if self.loss.hits(rng) {
            Fate::Lost
        } else if self.duplicate.hits(rng) {
            Fate::Duplicated
        } else {
            Fate::Fine
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Rate;

    #[test]
    fn rates_are_read_as_shares_and_percentages() {
        assert_eq!("0.01".parse(), Ok(Rate::per_million(10_000)));
        assert_eq!("1%".parse(), Ok(Rate::per_million(10_000)));
        let error = "1.5".parse::<Rate>().unwrap_err();
        let wanted = "\"1.5\" is no rate: give a number from 0 to 1, such as 0.01, or 1%";
        assert_eq!(error.to_string(), wanted);
    }
}
