//! How records show what the parser keeps: borrowed, without a list or an owner made for it.

use flowcell_mail::Shown;
use flowcell_sdk::{Encoder, FieldType, Kind, Value};

/// Recipients, each with whether it was refused: all, or those that were.
#[derive(Debug)]
pub(crate) struct Recipients<'a> {
    pub(crate) all: &'a [(Vec<u8>, bool)],
    pub(crate) only_refused: bool,
}

impl Value for Recipients<'_> {
    const TYPE: FieldType = FieldType { kind: Kind::Text, optional: false, repeated: true };

    fn encode(&self, out: &mut Encoder<'_>) {
        let shown = || self.all.iter().filter(|(_, refused)| *refused || !self.only_refused);
        out.array(shown().count());
        for (address, _) in shown() {
            Shown(address).encode(out);
        }
    }
}
