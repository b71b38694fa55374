//! What all cells have together.

use flowcell::driver::Room;
use flowcell_sdk::Side::Client;
use flowcell_tests::packets::{Conversation, Pcap};

use super::{Counted, run_with};

/// Flows that wait in the middle of a line, all at a time, and each goes on once more.
fn waiting(flows: u16, port: u16) -> Pcap {
    let flow = |index: u16| {
        let flow = Conversation::of_its_own(index, 4000, port).open();
        flow.send(Client, b"in the").send(Client, b" middle\nof").close()
    };
    Pcap::of(&(0..flows).map(flow).collect::<Vec<_>>())
}

fn counter(counted: &Counted, name: &str) -> u64 {
    counted.stats["parsers"][name].as_u64().unwrap_or_else(|| panic!("no {name}"))
}

/// The classes of all faults.
fn faults(counted: &Counted) -> Vec<&str> {
    let faults = counted.run.of_type("fault").into_iter();
    faults.map(|fault| fault["data"]["class"].as_str().unwrap_or_default()).collect()
}

/// With memory for about two cells a lane, the others are parked; nothing is lost by that.
#[test]
fn cells_are_parked_where_memory_is_short() {
    let pcap = waiting(300, 7);
    let plenty = run_with(&[], &pcap, None);
    assert_eq!(counter(&plenty, "parks"), 0);
    for limit in ["memory_in_all", "memory_of_parser"] {
        let short = run_with(&[], &pcap, Some(&format!("[cells]\n{limit} = '2400 KiB'\n")));
        assert_eq!(counter(&short, "no_room"), 0, "{limit}");
        let (parks, unparks) = (counter(&short, "parks"), counter(&short, "unparks"));
        assert!(parks > 200 && unparks > 50, "{limit}: {parks} parks, {unparks} unparks");
        let each = counter(&short, "parked_bytes") / parks;
        assert!((10..2000).contains(&each), "{each} bytes of a cell that waits in a line");
        assert_eq!(short.run.stdout, plenty.run.stdout, "{limit}");
    }
}

/// A parser whose memory is too large to be parked has as many cells as there is room for.
#[test]
fn flows_get_no_parser_where_nothing_can_be_parked() {
    let pcap = waiting(64, 9);
    for limit in ["memory_in_all", "memory_of_parser"] {
        let file = format!("[cells]\n{limit} = '200 MiB'\nmemory = '8 MiB'\n");
        let counted = run_with(&["big_memory"], &pcap, Some(&file));
        let (parsed, no_room) = (counter(&counted, "parsed_flows"), counter(&counted, "no_room"));
        assert_eq!(parsed + no_room, 64, "{}", counted.run.stderr);
        assert!(parsed >= 10 && no_room >= 10, "{limit}: {parsed} parsed, {no_room} not");
    }
}

/// A cell that grows where nothing is left ends; whose fault that is depends on whose memory it was.
#[test]
fn growth_beyond_the_room_ends_a_cell() {
    let flow = |index: u16| {
        let flow = Conversation::of_its_own(index, 4000, 9).open();
        let flow = flow.send(Client, b"-").send(flowcell_sdk::Side::Server, b"-");
        flow.send(Client, b"g").send(flowcell_sdk::Side::Server, b"-").close()
    };
    let pcap = Pcap::of(&(0..64).map(flow).collect::<Vec<_>>());
    for (limit, class) in [("memory_in_all", "capacity"), ("memory_of_parser", "memory")] {
        let counted =
            run_with(&["hoards_secrets"], &pcap, Some(&format!("[cells]\n{limit} = '40 MiB'\n")));
        let faults = faults(&counted);
        assert!(faults.len() > 5, "{limit}: {} faults", faults.len());
        assert!(faults.iter().all(|fault| *fault == class), "{limit}: {faults:?}");
    }
}

/// The same for cells that were parked and grow in the call that brings them back.
#[test]
fn growth_of_a_cell_that_was_parked_counts() {
    let begin = |index: u16| Conversation::of_its_own(index, 4000, 9).open().send(Client, b"-");
    let mut frames: Vec<_> = (0..64).flat_map(|index| begin(index).frames().to_vec()).collect();
    // Nothing for a while.
    frames.extend(std::iter::repeat_n(vec![0; 60], 500));
    for index in 0..64 {
        let flow = begin(index);
        let known = flow.frames().len();
        frames.extend_from_slice(&flow.send(Client, b"g").frames()[known..]);
    }
    let pcap = frames.iter().fold(Pcap::new(1), |pcap, frame| pcap.frame(frame));
    for (limit, class) in [("memory_in_all", "capacity"), ("memory_of_parser", "memory")] {
        let file = format!("[cells]\n{limit} = '40 MiB'\npark_after_ms = 100\npark_above = 0\n");
        let counted = run_with(&["hoards_secrets"], &pcap, Some(&file));
        assert!(counter(&counted, "parks") > 30, "they are parked before they grow");
        let faults = faults(&counted);
        assert!(faults.len() > 5, "{limit}: {} faults", faults.len());
        assert!(faults.iter().all(|fault| *fault == class), "{limit}: {faults:?}");
    }
}

#[test]
fn quiet_cells_are_parked_after_a_while() {
    let flow = |index: u16| {
        let flow = Conversation::of_its_own(index, 4000, 7).open();
        flow.send(Client, b"in the").send(Client, b" middle\nof").close()
    };
    // A frame of the capture is a millisecond.
    let pcap = Pcap::of(&(0..200).map(flow).collect::<Vec<_>>());
    let parks = |limits: Option<&str>| counter(&run_with(&[], &pcap, limits), "parks");
    assert_eq!(parks(None), 0);
    assert_eq!(parks(Some("[cells]\npark_after_ms = 20\n")), 0);
    assert!(parks(Some("[cells]\npark_after_ms = 20\npark_above = 0\n")) > 100);
}

#[test]
fn every_row_has_a_test() {
    // `cells` has its tests beside those of single cells; `search_bytes` and `expected_flows` beside those of
    // detection, and all that is built in, too.
    let tested = [
        "cells",
        "memory_in_all",
        "memory_of_parser",
        "park_after_ms",
        "park_above",
        "search_bytes",
        "expected_flows",
    ];
    let rows = Room::TABLE.iter().filter(|row| !row.fixed).map(|row| row.name);
    assert_eq!(rows.collect::<Vec<_>>(), tested);
}
