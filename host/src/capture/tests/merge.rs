//! Many files as one run: their order, their interfaces, and how many are open.

use super::*;
use many::Order as By;

/// A capture with a frame of one byte at each of these seconds, which tells the file.
fn at(name: u8, seconds: &[u32]) -> Vec<u8> {
    let mut file = classic(Order::Little, 0xa1b2_c3d4, 4, 1);
    for second in seconds {
        file.extend(record(Order::Little, *second, 0, &[name], 1));
    }
    file
}

/// The frames as (second, file), and the errors.
fn run(files: &mut Files) -> (Vec<(u64, char)>, Vec<String>) {
    let (frames, errors) = drain(files);
    let numbers: Vec<u64> = frames.iter().map(|frame| frame.0).collect();
    assert_eq!(numbers, (1..=frames.len() as u64).collect::<Vec<_>>());
    let seen = frames.iter().map(|frame| (frame.1 / 1_000_000_000, frame.4[0].into())).collect();
    (seen, errors.iter().map(ToString::to_string).collect())
}

fn paths(folder: &Folder, files: &[(u8, &[u32])]) -> Vec<PathBuf> {
    let path = |(name, seconds): &(u8, &[u32])| {
        folder.file(&format!("{}.pcap", *name as char), &at(*name, seconds))
    };
    files.iter().map(path).collect()
}

#[test]
fn frames_come_by_time_then_in_the_order_given() {
    let folder = Folder::new("by-time");
    let paths = paths(&folder, &[(b'b', &[1, 3, 5, 5]), (b'a', &[1, 2, 5]), (b'c', &[0, 9])]);
    let (seen, errors) = run(&mut Files::new(paths.clone(), By::Time, None));
    let wanted = "0c 1b 1a 2a 3b 5b 5b 5a 9c";
    let text = |seen: &[(u64, char)]| {
        seen.iter().map(|(second, file)| format!("{second}{file}")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!((text(&seen).as_str(), errors.len()), (wanted, 0));
    let (seen, _) = run(&mut Files::new(paths, By::Given, None));
    assert_eq!(text(&seen), "1b 3b 5b 5b 1a 2a 5a 0c 9c");
}

#[test]
fn a_clock_that_goes_back_does_not_reorder_its_file() {
    let folder = Folder::new("back");
    let paths = paths(&folder, &[(b'a', &[5, 2, 8]), (b'b', &[1, 6, 7])]);
    let (seen, _) = run(&mut Files::new(paths, By::Time, None));
    assert_eq!(seen, [(1, 'b'), (5, 'a'), (2, 'a'), (6, 'b'), (7, 'b'), (8, 'a')]);
}

#[test]
fn files_that_follow_each_other_are_open_one_at_a_time() {
    let folder = Folder::new("rotated");
    let paths = paths(&folder, &[(b'c', &[5, 6]), (b'a', &[1, 2]), (b'b', &[3, 4]), (b'd', &[])]);
    let (seen, errors) = run(&mut Files::new(paths, By::Time, None).with_most_open(1));
    assert_eq!(errors, [""; 0]);
    assert_eq!(seen.iter().map(|frame| frame.0).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_file_is_left_out_when_too_many_are_open() {
    let folder = Folder::new("too-many");
    let paths = paths(&folder, &[(b'a', &[1, 9]), (b'b', &[2, 9]), (b'c', &[3, 9]), (b'd', &[10])]);
    let (seen, errors) = run(&mut Files::new(paths.clone(), By::Time, None).with_most_open(2));
    assert_eq!(seen, [(1, 'a'), (2, 'b'), (9, 'a'), (9, 'b'), (10, 'd')]);
    assert_eq!(errors.len(), 1);
    assert!(errors[0].contains("c.pcap: left out: 2 captures are open"), "{}", errors[0]);
    let (seen, errors) = run(&mut Files::new(paths, By::Given, None).with_most_open(2));
    assert_eq!((seen.len(), errors.len()), (7, 0));
}

#[test]
fn bad_files_are_told_and_the_others_are_merged() {
    let folder = Folder::new("bad");
    let cut = at(b'b', &[2, 4]);
    let paths = vec![
        folder.file("a.pcap", &at(b'a', &[1, 3, 5])),
        folder.file("b.pcap", &cut[..cut.len() - 1]),
        folder.file("note.txt", b"hello\n"),
        folder.0.join("missing.pcap"),
        folder.file("first.pcap", &cut[..30]),
        folder.0.clone(),
    ];
    let (seen, errors) = run(&mut Files::new(paths, By::Time, None));
    assert_eq!(seen, [(1, 'a'), (2, 'b'), (3, 'a'), (5, 'a')]);
    let wanted = [
        "note.txt: not a pcap",
        "missing.pcap: cannot open it",
        "first.pcap: cut short: it ends inside the packet header at byte 24, after frame 0",
        ": is a folder",
        "b.pcap: cut short: it ends inside the packet at byte 41, after frame 1",
    ];
    assert_eq!(errors.len(), wanted.len(), "{errors:?}");
    for (error, wanted) in errors.iter().zip(wanted) {
        assert!(error.contains(wanted), "{wanted:?} in {error:?}");
    }
}

/// The interface of each frame.
fn interfaces(source: &mut dyn Source) -> Vec<u32> {
    let mut seen = Vec::new();
    while let Ok(Next::Frame(frame)) = source.next() {
        seen.push(frame.raw.interface);
    }
    seen
}

#[test]
fn interfaces_are_numbered_as_they_appear_in_the_run() {
    let folder = Folder::new("interfaces");
    let order = Order::Little;
    let mut file = Ng::new(order);
    let seconds = option(order, 9, &[0]);
    for (start, ids) in [(1, [1, 0]), (5, [0, 1])] {
        file.push(section(order, 1, 0));
        for _ in 0..3 {
            file.push(interface(order, 1, 0, &seconds));
        }
        for (turn, id) in ids.into_iter().chain(ids).enumerate() {
            file.push(enhanced(order, id, start + u32::try_from(turn).unwrap(), b"x", 1));
        }
    }
    let ng = folder.file("a.pcapng", &file.bytes);
    let alone = interfaces(&mut FileSource::open(&ng).unwrap());
    assert_eq!(alone, [0, 1, 0, 1, 2, 3, 2, 3]);
    let classic = folder.file("b.pcap", &at(b'b', &[0, 2, 9]));
    let given = interfaces(&mut Files::new(vec![ng.clone(), classic.clone()], By::Given, None));
    assert_eq!(given, [0, 1, 0, 1, 2, 3, 2, 3, 4, 4, 4]);
    let merged = interfaces(&mut Files::new(vec![ng, classic], By::Time, None));
    assert_eq!(merged, [0, 1, 2, 0, 1, 2, 3, 4, 3, 4, 0]);
}

#[test]
fn a_folder_is_its_captures_by_name() {
    let folder = Folder::new("folder");
    let capture = at(b'a', &[1]);
    let inside = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    for name in ["10.pcap", "2.pcap", "B", "a.pcapng"] {
        folder.file(name, &capture);
    }
    folder.file(".hidden.pcap", &capture);
    folder.file("cut.pcap", &capture[..20]); // an error of the run
    folder.file("README", b"Captures of Monday.\n");
    folder.file("empty.pcap", b"");
    fs::create_dir(folder.0.join("sub")).unwrap();
    let found = super::super::Folder::read(&folder.0).unwrap();
    let names: Vec<String> = found.captures.iter().map(inside).collect();
    assert_eq!(names, ["10.pcap", "2.pcap", "B", "a.pcapng", "cut.pcap"]);
    let left_out: Vec<String> = found.left_out.iter().map(ToString::to_string).collect();
    for (told, wanted) in left_out.iter().zip([
        "README: left out: not a capture: it is a text file",
        "empty.pcap: left out: it is empty",
        "sub: left out: it is a folder",
    ]) {
        assert!(told.contains(wanted), "{told}");
    }
    assert_eq!(left_out.len(), 3);
    let missing = super::super::Folder::read(&folder.0.join("nowhere")).unwrap_err().to_string();
    assert!(missing.contains("nowhere: cannot open it"), "{missing}");
}
