//! The value of one limit: a number in the limit's own unit, or a text with a unit.

use toml::de::{DeInteger, DeValue};

use super::{Row, shown};

/// A unit that a text may have, and how many of the limit's own unit it is.
type Unit = (&'static str, u64);

const SIZES: &[Unit] = &[
    ("B", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

const TIMES: &[Unit] = &[("ms", 1), ("s", 1_000), ("min", 60_000), ("h", 3_600_000)];

/// The units of a limit, none for one that counts things.
fn units(row: &Row) -> &'static [Unit] {
    match row.unit {
        "bytes" => SIZES,
        "ms" | "ms of CPU" => TIMES,
        _ => &[],
    }
}

/// Reads the value of a limit.
///
/// # Errors
/// What is wrong with it, and what would be right.
pub(super) fn read(row: &Row, value: &DeValue<'_>) -> Result<u64, String> {
    let number = match value {
        DeValue::Integer(number) => integer(row, number)?,
        DeValue::String(text) => with_unit(row, text)?,
        other => {
            let kind = other.type_str();
            let article = if kind == "array" { "an" } else { "a" };
            return Err(format!("`{}` is {}, not {article} {kind}", row.name, wanted(row)));
        }
    };
    if number < row.min {
        return Err(format!("`{}` must be at least {} {}", row.name, row.min, row.unit));
    }
    if number > row.max { Err(too_much(row)) } else { Ok(number) }
}

fn integer(row: &Row, number: &DeInteger<'_>) -> Result<u64, String> {
    if number.as_str().starts_with('-') {
        return Err(negative(row));
    }
    // TOML has checked the digits: what is left is a number that is too long.
    u64::from_str_radix(number.as_str(), number.radix()).map_err(|_| too_much(row))
}

fn with_unit(row: &Row, text: &str) -> Result<u64, String> {
    let text = text.trim();
    if text.starts_with('-') {
        return Err(negative(row));
    }
    let units = units(row);
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let digits = digits.replace('_', "");
    let unit = unit.trim_start();
    if digits.is_empty() || units.is_empty() || unit.starts_with(['.', ',']) {
        return Err(format!("`{}` is {}, not `{}`", row.name, wanted(row), shown(text)));
    }
    let Some((_, factor)) = units.iter().find(|(name, _)| *name == unit) else {
        let names: Vec<&str> = units.iter().map(|(name, _)| *name).collect();
        let names = names.join(", ");
        return Err(match unit {
            "" => format!("`{}` lacks a unit behind {digits}: {names}", row.name),
            _ => format!("`{}` is no unit of `{}`; there are: {names}", shown(unit), row.name),
        });
    };
    let number: Option<u64> = digits.parse().ok();
    number.and_then(|number| number.checked_mul(*factor)).ok_or_else(|| too_much(row))
}

/// What a limit wants to be.
fn wanted(row: &Row) -> String {
    let unit = row.unit;
    match units(row).first() {
        Some(&("B", _)) => format!("a whole number of {unit}, or a text like \"64 KiB\""),
        Some(_) => format!("a whole number of {unit}, or a text like \"30 s\""),
        None => format!("a whole number of {unit}, without quotes"),
    }
}

fn negative(row: &Row) -> String {
    format!("`{}` can't be negative; it is {}", row.name, wanted(row))
}

fn too_much(row: &Row) -> String {
    format!("`{}` can be at most {} {}", row.name, row.max, row.unit)
}
