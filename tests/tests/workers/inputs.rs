//! Where the frames come from makes no difference either.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use flowcell_tests::command::{Scratch, read};

use super::same_on_all;
use super::traffic::{capture, impaired};

/// Length of a pcap file's header and of a record's, in bytes.
const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;

fn mix() -> Vec<u8> {
    capture(|output| impaired(7, 200).frames(output))
}

/// The capture dealt out to so many files, frame by frame.
fn dealt(scratch: &Scratch, bytes: &[u8], files: usize) -> Vec<PathBuf> {
    let (header, mut rest) = bytes.split_at(FILE_HEADER);
    let mut parts = vec![header.to_vec(); files];
    let mut turn = 0;
    while !rest.is_empty() {
        let length = u32::from_le_bytes(rest[8..12].try_into().expect("four bytes"));
        let (record, more) = rest.split_at(RECORD_HEADER + length as usize);
        parts[turn % files].extend_from_slice(record);
        rest = more;
        turn += 1;
    }
    let parts = parts.into_iter().enumerate();
    parts.map(|(index, part)| scratch.write(&format!("{index}.pcap"), part)).collect()
}

#[test]
fn files_that_are_merged() {
    let scratch = Scratch::new();
    let bytes = mix();
    let whole = scratch.write("whole.pcap", &bytes);
    let mut files = vec![OsString::from("-r")];
    files.extend(dealt(&scratch, &bytes, 3).into_iter().map(PathBuf::into_os_string));
    for command in ["run", "streams"] {
        let one = same_on_all(command, &[OsStr::new("-r"), whole.as_os_str()], None);
        let several = same_on_all(command, &files, None);
        assert_eq!(one.stdout, several.stdout, "one file or three");
    }
}

#[test]
fn standard_input() {
    let scratch = Scratch::new();
    let file = scratch.write("mix.pcap", mix());
    let bytes = read(&file);
    for command in ["run", "streams"] {
        let from_file = same_on_all(command, &[OsStr::new("-r"), file.as_os_str()], None);
        let piped = same_on_all(command, &["-r", "-"], Some(&bytes));
        assert_eq!(from_file.stdout, piped.stdout);
    }
}

#[test]
fn what_tells_flows_apart() {
    let scratch = Scratch::new();
    let file = scratch.write("mix.pcap", mix());
    for options in [
        ["--key", "vlan,tunnel,interface"],
        ["--checksums", "on"],
        ["--checksums", "off"],
        ["--overlap", "last"],
    ] {
        let [name, value] = options.map(OsStr::new);
        same_on_all("run", &[name, value, OsStr::new("-r"), file.as_os_str()], None);
    }
}
