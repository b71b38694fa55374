//! Messages of MQTT against Zeek's logs.

use flowcell_tests::talk::{Record, is_between};
use flowcell_tests::tally::{Outcome, Tally};
use flowcell_tests::zeek::{self, Row};

const KNOWN: &[(&str, &str, &str)] = &[];

/// Zeek's logs, our records, and the fields that both have by the same name.
const LOGS: [(&str, &str, &[&str]); 3] = [
    (
        "mqtt_connect",
        "mqtt.connect",
        &[
            "proto_name",
            "proto_version",
            "client_id",
            "connect_status",
            "will_topic",
            "will_payload",
        ],
    ),
    (
        "mqtt_publish",
        "mqtt.publish",
        &["from_client", "retain", "qos", "status", "topic", "payload", "payload_len"],
    ),
    (
        "mqtt_subscribe",
        "mqtt.subscribe",
        &["action", "topics", "qos_levels", "granted_qos_level", "ack"],
    ),
];

#[test]
fn mqtt_agrees_with_zeek() {
    let Some((corpus, sights)) = crate::sights() else { return };
    let mut tally = Tally::default();
    for sight in sights {
        for (kind, ty, fields) in LOGS {
            for (log, rows) in zeek::logs(corpus, &sight.name, kind) {
                if log.contains("payload-cap") {
                    println!("skipped: {log}: the log of a run with another limit");
                    continue;
                }
                let records = sight.records.iter().filter(|record| record.ty == ty);
                compare(&mut tally, &sight.name, &rows, records.collect(), fields);
            }
        }
    }
    tally.check(KNOWN);
}

fn compare(
    tally: &mut Tally,
    name: &str,
    rows: &[Row],
    mut records: Vec<&Record>,
    fields: &[&'static str],
) {
    for row in rows {
        let ends = zeek::ends(row).expect("endpoints");
        let found = records.iter().position(|record| is_between(record.ends, ends));
        tally.add(name, "records", Outcome::of(&found.is_some(), &true));
        let Some(found) = found else { continue };
        let record = records.remove(found);
        for field in fields {
            let ours = zeek::cell(&record.data[*field]);
            let theirs = row.get(*field).map(|cell| cell.trim_start_matches("MQTT::"));
            let theirs = theirs
                .map(|cell| if *field == "action" { cell.to_lowercase() } else { cell.to_owned() });
            tally.add(name, field, Outcome::of(&ours, &theirs));
        }
    }
    tally.add(name, "records", Outcome::of(&records.len(), &0));
}
