//! No flow sees a byte of what another one's parser has written.

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::packets::Conversation;

use super::{BAD, run_with_args};

/// Flows one after the other, each of which looks for what those before it have left, fills all memory
/// that it can get, and ends in a way of its own: as the letters of `hoards_secrets.wat` say.
fn hoarders(lives: &[&str]) -> Vec<Conversation> {
    let mut flows = Vec::new();
    let mut before = 0;
    for (port, life) in (4000..).zip(lives) {
        // Frames of no protocol, while the others are at work.
        let flow =
            (0..before).fold(Conversation::tcp(port, BAD), |flow, _| flow.frame(vec![0; 60]));
        let mut flow = flow.open();
        for letter in life.as_bytes().chunks(1) {
            flow = if letter == b"." {
                flow.close()
            } else {
                flow.send(Client, letter).send(Server, b"-")
            };
        }
        before = flow.frames().len();
        flows.push(flow);
    }
    flows
}

#[test]
pub(crate) fn hoards_secrets() {
    // Small memories and large ones; ready, closed, open until the capture ends, trap, deadline, memory
    // limit, stack. Each way out is followed by somebody who looks.
    let lives = [
        "cfr", "cf.", "c-f-", "cft", "cfl", "cfm", "cfs", "cfgf-r", "cf-gf.", "c-fgft", "cfgf-l",
        "cf-gfm", "cfgf-s", "cfr", "cfgf.", "cfgfr", "cfgf",
    ];
    let classes = ["trap", "deadline", "memory", "stack", "trap", "deadline", "memory", "stack"];
    for mode in [None, Some("park")] {
        let arguments: Vec<&str> =
            mode.map(|mode| ["--cell-mode", mode]).into_iter().flatten().collect();
        let run = run_with_args("hoards_secrets", &hoarders(&lives), &arguments);
        let faults = run.of_type("fault");
        let faults: Vec<_> = faults.iter().map(|fault| &fault["data"]["class"]).collect();
        assert_eq!(faults, classes, "{mode:?}: a flow found something\n{}", run.stdout);
    }
}
