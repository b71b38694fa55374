//! Mixes of flows.

use std::io;

use crate::flow::Flow;
use crate::impair::{Impairments, Rate};
use crate::output::{Output, Summary, Wire};
use crate::pool::Pools;
use crate::rng::Rng;
use crate::seat::{Seat, Step, Workshop};
use crate::truth::Truth;
use crate::tuple::Application;

/// How many flows of each kind there are, in proportion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weights {
    /// SMTP.
    pub mail: u32,
    /// HTTP.
    pub web: u32,
    /// DNS.
    pub dns: u32,
    /// FTP, its control connections.
    pub ftp: u32,
    /// IMAP.
    pub imap: u32,
    /// MQTT.
    pub mqtt: u32,
    /// POP3.
    pub pop3: u32,
    /// Redis.
    pub redis: u32,
    /// SIP.
    pub sip: u32,
    /// SMB.
    pub smb: u32,
    /// SSH.
    pub ssh: u32,
    /// TLS.
    pub tls: u32,
}

impl Default for Weights {
    fn default() -> Self {
        Self { mail: 1, web: 1, dns: 1, ..Self::NONE }
    }
}

impl Weights {
    /// No flows.
    pub const NONE: Self = Self {
        mail: 0,
        web: 0,
        dns: 0,
        ftp: 0,
        imap: 0,
        mqtt: 0,
        pop3: 0,
        redis: 0,
        sip: 0,
        smb: 0,
        ssh: 0,
        tls: 0,
    };

    /// The kinds with their weights, in the order in which one is drawn.
    fn kinds(&self) -> [(Application, u32); 12] {
        let Self { mail, web, dns, ftp, imap, mqtt, pop3, redis, sip, smb, ssh, tls } = *self;
        [
            (Application::Mail, mail),
            (Application::Web, web),
            (Application::Dns, dns),
            (Application::Ftp, ftp),
            (Application::Imap, imap),
            (Application::Mqtt, mqtt),
            (Application::Pop3, pop3),
            (Application::Redis, redis),
            (Application::Sip, sip),
            (Application::Smb, smb),
            (Application::Ssh, ssh),
            (Application::Tls, tls),
        ]
    }

    fn total(&self) -> Option<u32> {
        self.kinds().iter().try_fold(0_u32, |sum, (_, weight)| sum.checked_add(*weight))
    }

    pub(crate) fn pick(&self, rng: &mut Rng) -> Application {
        let mut drawn = rng.below(self.total().unwrap_or_default());
        for (application, weight) in self.kinds() {
            match drawn.checked_sub(weight) {
                Some(left) => drawn = left,
                None => return application,
            }
        }
        Application::Dns // all of them weigh nothing, which was checked
    }
}

/// Options of a mix. The same ones make the same frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mix {
    /// Flows in all.
    pub flows: u64,
    /// Flows that are in progress at once, while there are enough left.
    pub concurrent: usize,
    /// All that is random follows from it.
    pub seed: u64,
    /// Which kinds of flows.
    pub weights: Weights,
    /// The share of flows over IPv6.
    pub v6: Rate,
    /// Smallest and largest payload of a TCP segment, from 2 to 16384 bytes; each flow keeps to
    /// one size, half of them to the largest.
    pub segment: (u16, u16),
    /// What happens to frames.
    pub impairments: Impairments,
    /// The time of the first frame, in nanoseconds since the Unix epoch.
    pub start: u64,
    /// How fast time goes on; by default 100,000 frames in a second, or ten for each concurrent
    /// flow where these are more.
    pub frames_per_second: Option<u64>,
    /// Mixes that differ in this have no endpoint of a client in common.
    pub net: u8,
}

impl Default for Mix {
    fn default() -> Self {
        Self {
            flows: 1000,
            concurrent: 100,
            seed: 1,
            weights: Weights::default(),
            v6: Rate::per_million(200_000),
            segment: (536, 1448),
            impairments: Impairments::default(),
            start: DEFAULT_START,
            frames_per_second: None,
            net: 0,
        }
    }
}

/// 2026-01-05T10:00:00Z.
pub(crate) const DEFAULT_START: u64 = 1_767_607_200_000_000_000;
const SEGMENT: std::ops::RangeInclusive<u16> = 2..=16_384;
/// Flows whose frames are interleaved at any moment; all others wait for their turn.
const SEATS: usize = 32;

/// Options that make no mix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MixError {
    /// No kind of flow has a weight, or they are too large to add.
    #[error("the weights of all kinds add up to nothing, or to more than 32 bits hold")]
    Weights,
    /// More impairments than frames.
    #[error("the rates of impairments add up to more than 1")]
    Rates,
    /// A segment size that is out of range, or a range that is empty.
    #[error("segments must have from {} to {} bytes, the smallest first", SEGMENT.start(), SEGMENT.end())]
    Segment,
    /// No flow may be in progress.
    #[error("at least one flow must be in progress at once")]
    Concurrent,
}

impl From<MixError> for io::Error {
    fn from(error: MixError) -> Self {
        Self::new(io::ErrorKind::InvalidInput, error)
    }
}

impl Mix {
    /// Whether the options make sense.
    ///
    /// # Errors
    ///
    /// The first option that does not.
    pub fn check(&self) -> Result<(), MixError> {
        if self.weights.total().unwrap_or(0) == 0 {
            return Err(MixError::Weights);
        }
        if !self.impairments.possible() {
            return Err(MixError::Rates);
        }
        let (smallest, largest) = self.segment;
        if !(SEGMENT.contains(&smallest) && SEGMENT.contains(&largest) && smallest <= largest) {
            return Err(MixError::Segment);
        }
        if self.concurrent == 0 {
            return Err(MixError::Concurrent);
        }
        Ok(())
    }

    /// Makes the frames.
    ///
    /// # Errors
    ///
    /// What `output` fails with, or [`MixError`] as invalid input.
    pub fn frames(&self, output: &mut Output<'_>) -> io::Result<Summary> {
        self.run(output, None)
    }

    /// Makes the frames, and tells the truth about each flow right after its last one.
    ///
    /// # Errors
    ///
    /// As [`Mix::frames`].
    pub fn frames_and_truth(
        &self,
        output: &mut Output<'_>,
        truth: &mut dyn FnMut(Truth),
    ) -> io::Result<Summary> {
        self.run(output, Some(truth))
    }

    fn run(
        &self,
        output: &mut Output<'_>,
        mut truth: Option<&mut dyn FnMut(Truth)>,
    ) -> io::Result<Summary> {
        self.check()?;
        let rate = self
            .frames_per_second
            .unwrap_or_else(|| (self.concurrent as u64).saturating_mul(10).max(100_000));
        let mut wire = Wire::new(output, self.start, 1_000_000_000 / rate.max(1));
        let mut shop = Workshop {
            pools: Pools::new(),
            impairments: self.impairments,
            frame: Vec::new(),
            payload: Vec::new(),
        };
        let mut order = Rng::of(self.seed, u64::MAX);
        let hashed = truth.is_some();
        let mut coming = (0..self.flows).map(|id| Flow::new(self, id, hashed));
        let mut seats: Vec<Seat> =
            coming.by_ref().take(SEATS.min(self.concurrent)).map(Seat::new).collect();
        seats.iter().for_each(|_| wire.begin_flow());
        let mut waiting: Vec<Flow> = Vec::new();
        while !seats.is_empty() {
            let index = below(&mut order, seats.len());
            match seats[index].step(&mut shop, &mut wire)? {
                Step::Moved => {}
                Step::Turn => {
                    let room = seats.len() + waiting.len() < self.concurrent;
                    let flow = &mut seats[index].flow;
                    if let Some(new) = room.then(|| coming.next()).flatten() {
                        wire.begin_flow();
                        waiting.push(std::mem::replace(flow, new));
                    } else if !waiting.is_empty() {
                        let next = below(&mut order, waiting.len());
                        std::mem::swap(flow, &mut waiting[next]);
                    }
                }
                Step::End => {
                    let ended = if let Some(new) = coming.next() {
                        wire.begin_flow();
                        std::mem::replace(&mut seats[index], Seat::new(new))
                    } else if waiting.is_empty() {
                        seats.swap_remove(index)
                    } else {
                        let next = waiting.swap_remove(below(&mut order, waiting.len()));
                        std::mem::replace(&mut seats[index], Seat::new(next))
                    };
                    if let Some(truth) = &mut truth {
                        truth(ended.flow.truth());
                    }
                }
            }
        }
        Ok(wire.finish())
    }
}

fn below(rng: &mut Rng, bound: usize) -> usize {
    rng.below(u32::try_from(bound).unwrap_or(u32::MAX)) as usize
}
