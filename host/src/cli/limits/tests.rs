use super::*;

fn limits(text: &str) -> RunLimits {
    RunLimits::of("l.toml", text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn an_empty_file_changes_nothing() {
    for text in ["", "# nothing\r\n", "\u{feff}[engine]\n[cells]\n[cells.smtp]\n"] {
        let limits = limits(text);
        assert_eq!(limits.engine, Limits::default());
        assert_eq!(limits.cells.of("smtp"), CellLimits::default());
        assert_eq!(limits.room, Room::default());
    }
}

#[test]
fn numbers_are_in_the_limits_own_unit() {
    let limits = limits("[engine]\nmax_flows = 200_000\ndepth = 0x10\ntcp_timeout_ms = 5\n");
    let engine = &limits.engine;
    assert_eq!((engine.max_flows, engine.depth, engine.tcp_timeout_ms), (200_000, 16, 5));
}

#[test]
fn texts_are_converted() {
    let sizes = [
        ("7B", 7),
        ("7 B", 7),
        ("1_000 B", 1000),
        (" 2 kB ", 2_000),
        ("2 MB", 2_000_000),
        ("2 GB", 2_000_000_000),
        ("2 KiB", 2 << 10),
        ("2MiB", 2 << 20),
        ("2 GiB", 2 << 30),
    ];
    for (text, bytes) in sizes {
        assert_eq!(limits(&format!("engine.depth = \"{text}\"")).engine.depth, bytes, "{text}");
    }
    for (text, ms) in [("250 ms", 250), ("2 s", 2_000), ("10min", 600_000), ("2 h", 7_200_000)] {
        let limits = limits(&format!("[engine]\ntcp_timeout_ms = '{text}'"));
        assert_eq!(limits.engine.tcp_timeout_ms, ms, "{text}");
    }
}

#[test]
fn a_parsers_section_starts_from_that_of_all() {
    // Wherever it stands: TOML has no order.
    let limits = limits(
        "[cells.smtp]\nmemory = '1 MiB'\n[cells]\ncells = 100\nlog_lines = 3\ncall_time = '1 s'\n",
    );
    assert_eq!(limits.room.cells, 100);
    let (all, smtp) = (limits.cells.of("dns"), limits.cells.of("smtp"));
    assert_eq!((all.log_lines, all.memory), (3, CellLimits::default().memory));
    assert_eq!((smtp.log_lines, smtp.memory, smtp.call_time), (3, 1 << 20, all.call_time));
    assert_eq!(all.call_time.as_secs(), 1);
}

#[test]
fn every_row_can_be_set_and_only_within_its_bounds() {
    for (section, rows) in [("engine", Section::Engine.rows()), ("cells", Section::Cells.rows())] {
        for row in rows {
            let set = |value: String| {
                let text = format!("[{section}]\n{} = {value}\n", row.name);
                RunLimits::of("l.toml", text.as_bytes()).map_err(|error| error.to_string())
            };
            if row.fixed {
                let error = set(row.max.to_string()).expect_err("a fixed limit");
                assert_eq!(
                    error,
                    format!("l.toml:2:1: `{}` is built in and can't be set", row.name)
                );
                continue;
            }
            for value in [row.min, row.max] {
                let limits = set(value.to_string()).unwrap_or_else(|error| panic!("{error}"));
                let found = match section {
                    "engine" => limits.engine.get(row.name),
                    _ if limits.room.get(row.name).is_some() => limits.room.get(row.name),
                    _ => limits.cells.all.get(row.name),
                };
                assert_eq!(found, Some(value), "{}", row.name);
            }
            let above = set((u128::from(row.max) + 1).to_string()).expect_err("too much");
            assert!(above.contains(&format!("can be at most {}", row.max)), "{above}");
            if let Some(below) = row.min.checked_sub(1) {
                let below = set(below.to_string()).expect_err("too little");
                assert!(below.contains(&format!("must be at least {}", row.min)), "{below}");
            }
        }
    }
}

#[test]
fn hostile_files_are_errors() {
    let deep = "[".repeat(100_000);
    let long_key = format!("[engine]\n{} = 1\n", "k".repeat(500_000));
    let dotted = format!("engine.{}x = 1", "a.".repeat(10_000));
    let arrays = format!("engine = {}", "[".repeat(100_000));
    let digits = format!("[engine]\ndepth = {}\n", "9".repeat(100_000));
    let text = format!("[engine]\ndepth = '{}é\u{7}'\n", "9".repeat(100_000));
    for text in [deep, long_key, dotted, arrays, digits, text] {
        let error = RunLimits::of("l.toml", text.as_bytes()).expect_err("hostile").to_string();
        assert!(error.len() < 500, "{error}");
        assert!(!error.contains(char::is_control), "{error}");
    }
}
