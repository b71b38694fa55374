//! `docs/limits.md`.

use std::fmt::Write as _;

use flowcell::driver::repro::ReproLimits;
use flowcell::driver::{BreakerLimits, Room};
use flowcell::registry::compiler::CompilerLimits;
use flowcell::runtime::{CellLimitInfo, CellLimits};
use flowcell_core::Limits;

use super::check;

/// The first columns of a row: name, default, and the bounds of what can be set.
fn head(name: &str, default: u64, [min, max]: [u64; 2], fixed: bool) -> String {
    if fixed {
        return format!("| `{name}` (fixed) | {default} | |");
    }
    let max = if max == u64::MAX { String::new() } else { format!(" {max}") };
    format!("| `{name}` | {default} | {min} |{max}")
}

/// The rows of limits that have no counters of their own, with the head of their columns.
fn rows(page: &mut String, limits: &[CellLimitInfo]) {
    page.push_str("| limit | default | from | to | unit | when it is reached |\n");
    page.push_str("|---|---|---|---|---|---|\n");
    for limit in limits {
        let head = head(limit.name, limit.default, [limit.min, limit.max], limit.fixed);
        writeln!(page, "{head} | {} | {} |", limit.unit, limit.action).expect("a page grows");
    }
}

const STACK: &str = "
The sandbox can't see the stack on which a parser has its local variables: that is a part of its memory, and as large as the
parser was built with. One that is built as the template has 16 KiB (`-zstack-size` in `.cargo/config.toml`). If it needs more,
it faults with the class `trap` and the message `out of bounds memory access`. The limit `stack` is that of calls.
";

/// How limits are set: the example is read by a test of the program.
const SETTING: &str = "
## Setting them

`flowcell run --limits FILE` takes them from a TOML file; `flowcell streams --limits FILE` takes those of the flow
engine. What the file does not name keeps its default.

```toml
[engine]                     # the flow engine
max_flows = 200_000
tcp_timeout_ms = \"10 min\"
hold_total = \"64 MiB\"

[cells]                      # the cells of all parsers
memory = \"2 MiB\"

[cells.smtp]                 # those of one parser, where they differ
memory = \"1 MiB\"

[repro]                      # what --repro-dir may take
repro_bundles = 10

[breaker]                    # when a parser gets no new flows
faults = 50

[compiler]                   # what compiling a parser may take
cpu_time = \"30 s\"
```

- A number is in the limit's own unit. A text has a unit of its own: `B`, `kB`, `MB`, `GB` (1000), `KiB`, `MiB`,
  `GiB` (1024), or `ms`, `s`, `min`, `h`. A name with `_ms` keeps it either way.
- A parser's section starts from `[cells]`, wherever the two stand in the file. What all cells have together stands in
  `[cells]`, and a parser's section can't have it.
- The section's name is the one that the parser calls itself. A parser has no way to read or to change its own limits;
  but whoever may put a file into the parsers' folder may give it any name that is free there.
- Flows are cut into 16 lanes by their two hosts, whatever the number of `--workers`, so that the output does
  not depend on it. What all flows share is divided among the lanes, rounded down: `max_flows`, `hold_total` and what
  all cells have together.
  So a lane that is full evicts a flow, gives up a hole or leaves a flow without a parser while another one has room.
  Where `max_flows` or `cells` is below 16, there are as many lanes as the lesser of the two.
- Flows that carry others, the outsides of tunnels, are none of the lanes': they have as many flows and bytes once more.
- CPU time is measured by sampling, once a millisecond, and only the processor's own time counts. `flow_cpu` is what a
  flow may spend beyond `flow_cpu_per_mib`, for which each delivery, gap and end counts as 256 bytes at least.
  `parser_cpu` holds only with `-i`: a file waits for a slow parser, traffic does not. A parser that is ahead of its share by more than it gets in a second has no new flows until it has recovered;
  its flows go on, and each flow that goes without is counted and has the outcome `throttled`.
- With `--deterministic`, instructions take the place of CPU time: a million for each millisecond of `call_time`,
  `flow_cpu` and `flow_cpu_per_mib`. `parser_cpu` does not hold then.
- `records_per_second` and `output_per_second` are about a second of packet time. A flow may emit as many records as bytes
  were delivered to its parser in that second, and 64 times as many bytes, even if that is more: so no honest parser
  meets them, however fast its flow is.
- There is no limit on calls that bring a parser nothing: the host calls a parser once for each delivery, gap and end, and
  for nothing else, so that it can ask for nothing again and again. What it keeps of its deliveries is in its `memory`.
- `memory`, `table_elements` and `host_call_bytes` also hold while a parser describes itself: one that does not fit is refused.
- A wrong name, unit, type or value ends the program before it reads a packet, with the place and the cure, and with
  exit code 2. A section for a parser that is not loaded is told, and is no error.
";

#[test]
fn limits() {
    let mut page = String::from(
        "# Limits\n\nMade from the code by `UPDATE_DOCS=1 cargo test --workspace --test docs`.\n\n\
         ## Flow engine\n\nTime is the packets' time. A limit that is marked fixed is built in.\n\n\
         | limit | default | from | to | unit | counters | when it is reached |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for limit in Limits::TABLE {
        let counters: Vec<String> = limit.counters.iter().map(|name| format!("`{name}`")).collect();
        let head = head(limit.name, limit.default, [limit.min, limit.max], limit.fixed);
        let (unit, counters, action) = (limit.unit, counters.join(", "), limit.action);
        writeln!(page, "{head} | {unit} | {counters} | {action} |").unwrap();
    }
    page.push_str(
        "\n## Cells\n\nOf one flow's parser; `call` is one `open` or `poll`. A fault ends the parser, is a `fault` record \
         and is\ncounted by class.\n\n",
    );
    rows(&mut page, CellLimits::TABLE);
    page.push_str(STACK);
    page.push_str(
        "\n## All cells together\n\nTime is the packets' time. A cell that is awake has its memory and about 9 KiB \
         more; of one that is parked\nless than 1 KiB is left, or 10 KiB if not all of the parser's state is its memory.\n\n",
    );
    rows(&mut page, Room::TABLE);
    page.push_str(
        "\n## Bundles of faults\n\nOf `flowcell run --repro-dir` (`repro.md`). Counters are those of `repro` in \
         `--stats-json`.\n\n| limit | default | from | to | unit | counter | when it is reached |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for limit in ReproLimits::TABLE {
        let head = head(limit.name, limit.default, [limit.min, limit.max], false);
        let (unit, counter, action) = (limit.unit, limit.counter, limit.action);
        writeln!(page, "{head} | {unit} | `{counter}` | {action} |").unwrap();
    }
    page.push_str(
        "\n## Breaker\n\nOf one version of one parser, all flows together. While it is open, new flows go without the \
         parser; those that\nhave it keep it. It is looked at every 1,024 frames, live more often, and what follows \
         holds four times as many frames\nlater. Each change is a `parser` record. Faults of the class `capacity` do \
         not count.\n\n",
    );
    rows(&mut page, BreakerLimits::TABLE);
    page.push_str(
        "\n## Compiler\n\nOf one file, where nothing else is said. Compiling happens in a process of its own; a file that \
         is refused\nchanges nothing for the others, and where an older version of it is in use, that one stays.\n\n",
    );
    rows(&mut page, CompilerLimits::TABLE);
    page.push_str(SETTING);
    check("limits.md", &page);
}
