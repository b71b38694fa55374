//! Records on their way to the writer, each with its place in the run.

use std::sync::Arc;

use flowcell_core::FlowView;
use serde::Serialize;
use wildmatch::WildMatch;

use super::envelope::{self, Subject};

/// Where a record belongs in the output of a run, however many threads make records.
///
/// First by packet. What timers have made comes before what the packet has, in the order in which the
/// timers were due; what concerns the packet on the outside of a tunnel comes before its inside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    packet: u64,
    /// 0 for timers, else one more than the number of tunnels that the flow is in.
    rank: u8,
    /// When the timer was due, and the first packet of the flow; 0 if there is no timer.
    due: (u64, u64),
}

impl Place {
    /// The place of what an event of this flow leads to.
    #[must_use]
    pub fn of(flow: &FlowView<'_>) -> Self {
        let packet = flow.packet;
        if flow.timer {
            Self { packet, rank: 0, due: (flow.ts.0, flow.first_packet) }
        } else {
            let depth = flow.tunnel.map_or(0, |tunnel| tunnel.depth);
            Self { packet, rank: depth.saturating_add(1), due: (0, 0) }
        }
    }

    /// Before all that `packet` leads to.
    #[must_use]
    pub fn before(packet: u64) -> Self {
        Self { packet, rank: 0, due: (0, 0) }
    }
}

/// Which types of record are wanted.
#[derive(Debug, Clone)]
pub struct Types(Arc<[WildMatch]>);

impl Types {
    /// What one of these globs matches; all if there are none.
    #[must_use]
    pub fn new(globs: &[String]) -> Self {
        Self(globs.iter().map(|glob| WildMatch::new(glob)).collect())
    }

    fn wants(&self, ty: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|glob| glob.matches(ty))
    }
}

/// A type of record that was met.
#[derive(Debug)]
struct Met {
    prefix: String,
    name: String,
    wanted: bool,
    written: u64,
}

/// Records as lines of JSON, in the order in which they were made.
#[derive(Debug)]
pub struct Records {
    types: Types,
    met: Vec<Met>,
    lines: Lines,
}

/// Lines and where each belongs.
#[derive(Debug, Default)]
pub struct Lines {
    bytes: Vec<u8>,
    /// The place of each line, and where it ends.
    marks: Vec<(Place, usize)>,
    /// What goes along.
    enclosures: Vec<(Place, Box<dyn Enclosure>)>,
}

/// Something that goes along with records and is no line of theirs.
pub trait Enclosure: Send + std::fmt::Debug {
    /// Hands it over. Called in the order of the run, on the thread that writes the lines.
    fn deliver(&self);
}

impl Records {
    /// Collects the records of `types`.
    #[must_use]
    pub fn new(types: Types) -> Self {
        Self { types, met: Vec::new(), lines: Lines::default() }
    }

    /// Adds a record of a parser: type `prefix.name`, `data` a JSON object.
    pub fn parsed(
        &mut self,
        place: Place,
        prefix: &str,
        name: &str,
        subject: &Subject<'_>,
        data: &[u8],
    ) {
        self.add(place, (Some(prefix), name), subject, |line| line.extend_from_slice(data));
    }

    /// Adds a record of the host's own.
    pub fn own(&mut self, place: Place, name: &str, subject: &Subject<'_>, data: &impl Serialize) {
        self.add(place, (None, name), subject, |line| {
            // Structs of numbers and strings into memory: this can not fail.
            if serde_json::to_writer(&mut *line, data).is_err() {
                line.extend_from_slice(b"{}");
            }
        });
    }

    /// Adds what is to be handed over when the records of this place are written.
    pub fn enclose(&mut self, place: Place, enclosure: Box<dyn Enclosure>) {
        self.lines.enclosures.push((place, enclosure));
    }

    /// Adds a record, if its type is wanted. `kind` is `(prefix, name)` of the type.
    fn add(
        &mut self,
        place: Place,
        kind: (Option<&str>, &str),
        subject: &Subject<'_>,
        data: impl FnOnce(&mut Vec<u8>),
    ) {
        if self.count(kind.0.unwrap_or_default(), kind.1) {
            envelope::line(&mut self.lines.bytes, kind, subject, data);
            self.lines.marks.push((place, self.lines.bytes.len()));
        }
    }

    /// Counts a record; returns whether its type is wanted.
    fn count(&mut self, prefix: &str, name: &str) -> bool {
        let found = self.met.iter().position(|met| met.name == name && met.prefix == prefix);
        let met = match found {
            Some(index) => &mut self.met[index],
            None => {
                let ty = ty(prefix, name);
                let (prefix, name) = (prefix.to_owned(), name.to_owned());
                let wanted = self.types.wants(&ty);
                self.met.push_mut(Met { prefix, name, wanted, written: 0 })
            }
        };
        met.written += u64::from(met.wanted);
        met.wanted
    }

    /// Returns whether there is nothing to take out.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.lines.marks.is_empty() && self.lines.enclosures.is_empty()
    }

    /// Takes out the lines made so far.
    pub fn take(&mut self) -> Lines {
        std::mem::take(&mut self.lines)
    }

    /// How many records were made, by type.
    pub fn written(&self) -> impl Iterator<Item = (String, u64)> {
        let wanted = self.met.iter().filter(|met| met.written > 0);
        wanted.map(|met| (ty(&met.prefix, &met.name), met.written))
    }
}

fn ty(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}

impl Lines {
    /// Returns how many bytes they have.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Brings the lines of several makers into the order of their places, and calls `write` with each.
    /// Lines of the same place stay in the order of the makers, and in that in which they were made.
    pub fn merge(all: &[Self], mut write: impl FnMut(&[u8])) {
        let count = all.iter().map(|lines| lines.marks.len()).sum();
        let mut order: Vec<(Place, &[u8])> = Vec::with_capacity(count);
        for lines in all {
            let mut start = 0;
            for &(place, end) in &lines.marks {
                order.push((place, lines.bytes.get(start..end).unwrap_or_default()));
                start = end;
            }
        }
        order.sort_by_key(|(place, _)| *place);
        for (_, line) in order {
            write(line);
        }
    }

    /// Hands over what goes along with the lines of several makers, in the same order.
    pub fn deliver(all: &[Self]) {
        let mut order: Vec<_> = all.iter().flat_map(|lines| &lines.enclosures).collect();
        order.sort_by_key(|(place, _)| *place);
        order.into_iter().for_each(|(_, enclosure)| enclosure.deliver());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn records(places: &[Place], text: &str) -> Lines {
        let mut records = Records::new(Types::new(&[]));
        for place in places {
            let subject =
                Subject { ts: 0, digits: 6, flow: None, parser: None, packet: None, escaped: &[] };
            records.own(*place, text, &subject, &());
        }
        records.take()
    }

    #[test]
    fn merged_lines_are_in_the_order_of_their_places() {
        let at = |packet, rank, due| Place { packet, rank, due: (due, 0) };
        let all = [
            records(&[at(1, 1, 0), at(3, 0, 9), at(3, 1, 0)], "a"),
            records(&[at(2, 1, 0), at(3, 0, 7), at(3, 2, 0)], "b"),
            records(&[at(3, 1, 0)], "c"),
        ];
        let mut merged = String::new();
        Lines::merge(&all, |line| {
            let line = std::str::from_utf8(line).expect("JSON");
            let ty = line.split("\"type\":\"").nth(1).and_then(|rest| rest.chars().next());
            merged.extend(ty);
        });
        assert_eq!(merged, "abbaacb");
    }

    #[derive(Debug)]
    struct Letter(char, Arc<Mutex<String>>);

    impl Enclosure for Letter {
        fn deliver(&self) {
            self.1.lock().expect("nobody panics").push(self.0);
        }
    }

    #[test]
    fn enclosures_are_delivered_in_the_order_of_their_places() {
        let delivered = Arc::new(Mutex::new(String::new()));
        let of = |letters: &[(char, u64)]| {
            let mut records = Records::new(Types::new(&["none".to_owned()]));
            for (letter, packet) in letters {
                let letter = Letter(*letter, Arc::clone(&delivered));
                records.enclose(Place::before(*packet), Box::new(letter));
            }
            assert!(!records.is_empty());
            records.take()
        };
        Lines::deliver(&[of(&[('b', 2), ('d', 3)]), of(&[('a', 1), ('c', 2), ('e', 9)])]);
        assert_eq!(*delivered.lock().expect("nobody panics"), "abcde");
    }

    #[test]
    fn unwanted_types_are_left_out() {
        let mut records = Records::new(Types::new(&["fl*".to_owned()]));
        let subject =
            Subject { ts: 0, digits: 6, flow: None, parser: None, packet: None, escaped: &[] };
        records.own(Place::default(), "flow", &subject, &());
        records.own(Place::default(), "fault", &subject, &());
        records.parsed(Place::default(), "smtp", "mail", &subject, b"{}");
        assert_eq!(records.written().collect::<Vec<_>>(), [("flow".to_owned(), 1)]);
        assert_eq!(records.take().marks.len(), 1);
    }
}
