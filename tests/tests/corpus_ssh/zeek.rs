//! Handshakes against Zeek's `ssh.log`.

use flowcell_tests::corpus::Corpus;
use flowcell_tests::talk::Record;
use flowcell_tests::tally::{Outcome, Tally};
use flowcell_tests::zeek::{self, Row};

use crate::HANDSHAKE;

const ONE_SIDED: &str = "Zeek waits for both sides before it says what they speak";
const SSH1_CIPHER: &str = "Zeek does not read the cipher that the client of SSH-1 chooses";

const TEXTS: [&str; 7] =
    ["client", "server", "cipher_alg", "mac_alg", "compression_alg", "kex_alg", "host_key_alg"];

#[test]
fn handshakes_agree_with_zeek() {
    let Some(corpus) = Corpus::find() else { return };
    let tally = zeek::compare_rows(&corpus, "ssh", HANDSHAKE, |tally, capture, ours, row| {
        fields(tally, &capture.name, ours, row);
    });
    tally.check(&[]);
}

fn fields(tally: &mut Tally, name: &str, ours: &Record, row: &Row) {
    let cell = |field: &str| row.get(field).map(String::as_str);
    let version = cell("version").and_then(|version| version.parse().ok());
    let outcome = Outcome::of(&ours.number("version"), &version);
    let one_sided = cell("client").is_none() || cell("server").is_none();
    let outcome = if one_sided && version.is_none() { outcome.or(ONE_SIDED) } else { outcome };
    tally.add(name, "version", outcome);
    for field in TEXTS {
        let outcome = Outcome::of(&ours.text(field), &cell(field));
        let unread = field == "cipher_alg" && ours.number("version") == Some(1);
        let unread = unread && cell(field).is_none();
        tally.add(name, field, if unread { outcome.or(SSH1_CIPHER) } else { outcome });
    }
}
