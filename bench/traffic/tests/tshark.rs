//! What tshark thinks of a mix.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use flowcell_traffic::special::OpenFlows;
use flowcell_traffic::{Mix, Output, Summary, write_pcap};

/// Writes a capture for this test, or says why there is no point.
fn capture(
    name: &str,
    generate: impl FnOnce(&mut Output<'_>) -> std::io::Result<Summary>,
) -> Option<PathBuf> {
    if let Err(error) = Command::new("tshark").arg("--version").output() {
        println!("skipped: tshark does not run: {error}");
        return None;
    }
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.pcap"));
    write_pcap(File::create(&path).unwrap(), generate).unwrap();
    Some(path)
}

/// Frames that a display filter matches, with every checksum verified.
fn matching(capture: &Path, filter: &str) -> Vec<String> {
    let output = Command::new("tshark")
        .args(["-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"])
        .args(["-o", "ip.check_checksum:TRUE", "-Y", filter, "-r"])
        .arg(capture)
        .output()
        .expect("tshark runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(Into::into).collect()
}

const BAD: &str = "_ws.malformed || ip.checksum.status == \"Bad\" || tcp.checksum.status == \"Bad\" \
    || udp.checksum.status == \"Bad\"";

#[test]
fn a_mix_has_no_malformed_frames_and_nothing_that_looks_lost() {
    let mix = Mix { flows: 60, concurrent: 20, ..Mix::default() };
    let Some(capture) = capture("mix", |output| mix.frames(output)) else { return };
    assert_eq!(matching(&capture, BAD), [""; 0]);
    let strange = "tcp.analysis.flags && !tcp.analysis.window_update";
    assert_eq!(matching(&capture, strange), [""; 0]);
    for protocol in ["smtp.req.command == \"QUIT\"", "http.response", "dns.flags.response == 1"] {
        assert!(!matching(&capture, protocol).is_empty(), "tshark finds no {protocol}");
    }
}

#[test]
fn open_flows_look_right() {
    let open = OpenFlows { flows: 50, rounds: 4, ..OpenFlows::default() };
    let Some(capture) = capture("open", |output| open.frames(output)) else { return };
    assert_eq!(matching(&capture, BAD), [""; 0]);
    assert_eq!(matching(&capture, "tcp.analysis.flags"), [""; 0]);
    assert_eq!(matching(&capture, "tcp").len(), 50 * 9);
}
