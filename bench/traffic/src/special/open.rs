//! Many flows open at once.

use std::io;

use super::plain::Plain;
use super::{PORT, wire};
use crate::output::{Output, Summary, Wire};
use crate::pool::{Material, Pools};
use crate::tuple::{Side, Tuple};

/// TCP flows that stay open: a handshake and a segment each way in every one of them, then rounds
/// of one segment for each flow. What the rounds cost over the number of flows is the cost of a
/// packet in a table of that size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenFlows {
    /// Flows that open, and stay open.
    pub flows: u32,
    /// Segments for each flow after all are open, by client and server in turns. Within a round
    /// the flows come in an order that looks random, another one each round.
    pub rounds: u32,
    /// Payload of each segment.
    pub payload: u16,
    /// What is said, and in which order.
    pub seed: u64,
}

impl Default for OpenFlows {
    fn default() -> Self {
        Self { flows: 1000, rounds: 1, payload: 100, seed: 1 }
    }
}

impl OpenFlows {
    /// Makes the frames.
    ///
    /// # Errors
    ///
    /// What `output` fails with.
    pub fn frames(&self, output: &mut Output<'_>) -> io::Result<Summary> {
        let mut wire = wire(output);
        let pools = Pools::new();
        let (mut buffer, mut payload) = (Vec::new(), Vec::new());
        for id in 0..self.flows {
            Plain::new(tuple(id)).open(&mut buffer, &mut wire)?;
            let mut flow = Plain::new(tuple(id));
            for side in [Side::Client, Side::Server] {
                self.say(&pools, id, 0, &mut payload);
                flow.send(side, &payload, &mut buffer, &mut wire)?;
            }
        }
        for round in 0..self.rounds {
            self.round(round, &pools, (&mut buffer, &mut payload), &mut wire)?;
        }
        Ok(wire.finish())
    }

    fn round(
        &self,
        round: u32,
        pools: &Pools,
        (buffer, payload): (&mut Vec<u8>, &mut Vec<u8>),
        wire: &mut Wire<'_, '_>,
    ) -> io::Result<()> {
        let len = u64::from(self.payload);
        let before = [1 + u64::from(round.div_ceil(2)), 1 + u64::from(round / 2)];
        let side = if round.is_multiple_of(2) { Side::Client } else { Side::Server };
        for id in shuffled(self.flows, self.seed ^ u64::from(round)) {
            let mut flow = Plain::resumed(tuple(id), before.map(|segments| segments * len));
            self.say(pools, id, round + 1, payload);
            flow.send(side, payload, buffer, wire)?;
        }
        Ok(())
    }

    fn say(&self, pools: &Pools, id: u32, round: u32, payload: &mut Vec<u8>) {
        payload.clear();
        let seed = u64::from(id ^ round.rotate_left(16)) << 32 ^ self.seed;
        pools.copy(Material::Text, seed, 0, self.payload.into(), payload);
    }
}

fn tuple(id: u32) -> Tuple {
    Tuple::of(id.into(), 0, false, PORT)
}

/// All numbers below `count`, each once, in an order that looks random. Multiplying by an odd
/// number and folding the upper half down are one-to-one on powers of two; what is beyond `count`
/// is left out.
fn shuffled(count: u32, seed: u64) -> impl Iterator<Item = u32> {
    let bits = u64::from(count).next_power_of_two().trailing_zeros().max(2);
    let mask = (1_u64 << bits) - 1;
    (0..=mask).filter_map(move |index| {
        let mut number = index ^ (seed & mask);
        for factor in [0x9e37_79b9_7f4a_7c15, 0xd6e8_feb8_6659_fd93_u64] {
            number = number.wrapping_mul(factor).wrapping_add(seed >> 7) & mask;
            number ^= number >> (bits / 2 + 1).min(bits - 1);
        }
        u32::try_from(number).ok().filter(|number| *number < count)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::shuffled;

    #[test]
    fn every_number_comes_once_in_an_order_of_its_own() {
        for count in [0, 1, 2, 5, 1000, 65_536] {
            let numbers: Vec<_> = shuffled(count, 3).collect();
            assert_eq!(numbers.len(), count as usize);
            assert_eq!(numbers.iter().collect::<HashSet<_>>().len(), count as usize);
        }
        let near = shuffled(65_536, 3).zip(shuffled(65_536, 3).skip(1));
        let near = near.filter(|(a, b)| a.abs_diff(*b) < 256).count();
        assert!(near < 1500, "{near} neighbours are near each other");
    }
}
