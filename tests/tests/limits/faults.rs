//! What is told of a fault, for each class of them.

use flowcell::runtime::FaultClass;
use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::packets::{Conversation, Pcap};

use super::run_with;

/// Who comes to such an end, and under which limits.
fn culprit(class: FaultClass) -> Option<(&'static str, &'static str)> {
    match class {
        FaultClass::Trap => Some(("panic_in_poll", "")),
        FaultClass::Deadline => Some(("loop_in_poll", "")),
        FaultClass::Cpu => Some(("loop_in_poll", "[cells]\nflow_cpu = 1")),
        FaultClass::Memory => Some(("memory_bomb", "")),
        FaultClass::Stack => Some(("deep_recursion", "")),
        FaultClass::BadRecord => Some(("garbage_record", "")),
        FaultClass::RecordFlood => Some(("steady_flood", "")),
        FaultClass::HostCall => Some(("long_log", "")),
        FaultClass::Capacity => None, // the host's, and no parser's
        _ => panic!("no parser comes to the end {}: add one", class.name()),
    }
}

#[test]
fn every_class_of_fault_is_counted_and_told_with_all_that_is_known() {
    let flow = Conversation::tcp(4000, 9).open();
    let flow = flow.send(Client, b"one\r\n").send(Server, b"ONE\r\n").send(Client, b"two\r\n");
    let pcap = Pcap::of(&[flow.close()]);
    for class in FaultClass::ALL {
        let Some((guest, limits)) = culprit(*class) else { continue };
        let class = class.name();
        let counted = run_with(&[guest], &pcap, Some(limits));
        assert_eq!(counted.stats["parsers"]["faults"], serde_json::json!({ class: 1 }), "{guest}");
        let fault = counted.run.only("fault");
        let flow = counted.run.only("flow");
        assert_eq!(fault["data"]["class"], class, "{fault}");
        assert_eq!(fault["parser"], format!("{guest}@0.1.0"));
        for place in ["uid", "community_id", "orig_ip", "orig_port", "resp_ip", "resp_port"] {
            assert_eq!(fault[place], flow[place], "{fault}");
        }
        assert!(fault["packet"].is_u64(), "{fault}");
        assert!(fault["data"]["message"].as_str().is_some_and(|text| text.len() > 10), "{fault}");
        let backtrace = fault["data"]["backtrace"].as_array().expect("a backtrace");
        // Its own functions, or the export that they ended up in.
        let named = |frame: &serde_json::Value| {
            frame.as_str().is_some_and(|name| name.contains(guest) || name == "poll")
        };
        assert!(backtrace.iter().any(named), "names the guest's functions: {fault}");
    }
}
