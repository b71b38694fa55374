//! Which of the words after `-r` are files, and where the filter begins.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::args::{InputArgs, ReadOrder};
use crate::capture::{Files, Filter, Folder, Order};
use crate::driver::Messages;

/// What to read.
#[derive(Debug)]
pub(super) struct Inputs {
    pub(super) files: Vec<PathBuf>,
    order: Order,
    /// As typed.
    pub(super) filter: Option<String>,
}

impl Inputs {
    /// `-r a.pcap b.pcap tcp port 25`: the words up to the first that is no file are files. A word
    /// that looks like a path but is not there stays a file, so that a misspelt name is told as such.
    /// A folder stands for the captures in it; what else is there is told and left out.
    pub(super) fn new(args: InputArgs, messages: &Messages) -> Result<Self> {
        let mut files: Vec<PathBuf> = Vec::new();
        let mut filter = args.filter;
        let mut read = args.read.into_iter();
        if let Some(first) = read.next() {
            files.push(first.into()); // whatever it is: -r wants a file
            let mut words = read.peekable();
            while let Some(word) = words.next_if(|word| is_file(word)) {
                files.push(word.into());
            }
            let mut last = filter.into_iter().peekable();
            // The command line's last word is among those of the filter.
            if words.peek().is_none() {
                while let Some(word) = last.next_if(|word| looks_like_a_capture(word)) {
                    files.push(word.into());
                }
            }
            filter = words.chain(last).collect();
        }
        if let Some(late) = filter.iter().skip(1).find(|word| Path::new(word).is_file()) {
            bail!("`{late}` is a file behind the filter; name files right after -r");
        }
        let filter = (!filter.is_empty()).then(|| filter.join(" "));
        let files =
            files.into_iter().map(|file| captures(file, messages)).collect::<Result<Vec<_>>>()?;
        let order = match args.order {
            ReadOrder::Time => Order::Time,
            ReadOrder::Given => Order::Given,
        };
        Ok(Self { files: files.concat(), order, filter })
    }

    /// The files as one run, with the filter.
    pub(super) fn source(&self) -> Result<Files> {
        let filter = self.filter.as_deref().map(Filter::new).transpose()?;
        Ok(Files::new(self.files.clone(), self.order, filter))
    }
}

/// The most files of a folder that are named as left out.
const MOST_TOLD: usize = 10;

/// The captures in a folder; a file is itself.
fn captures(path: PathBuf, messages: &Messages) -> Result<Vec<PathBuf>> {
    if path == Path::new("-") || !path.is_dir() {
        return Ok(vec![path]);
    }
    let Folder { captures, left_out } = Folder::read(&path)?;
    for file in left_out.iter().take(MOST_TOLD) {
        messages.tell(&file.to_string());
    }
    if let Some(more) = left_out.len().checked_sub(MOST_TOLD).filter(|more| *more > 0) {
        messages.tell(&format!("{}: left out: {more} more that are no captures", path.display()));
    }
    if captures.is_empty() {
        bail!(
            "{}: there is no capture in this folder (folders in it are not read)",
            path.display()
        );
    }
    Ok(captures)
}

fn is_file(word: &str) -> bool {
    let path = Path::new(word);
    // A folder may be called like a word of the filter: `src`, `host`.
    looks_like_a_capture(word) || if path.is_dir() { word.contains('/') } else { path.exists() }
}

/// By its name, whether there is such a file or not.
fn looks_like_a_capture(word: &str) -> bool {
    const ENDINGS: [&str; 8] = ["pcap", "pcapng", "cap", "dmp", "gz", "zst", "lz4", "snoop"];
    let ending = Path::new(word).extension().and_then(|ending| ending.to_str());
    // Several words are a part of the filter.
    let is_one_word = !word.contains(char::is_whitespace);
    word == "-" || is_one_word && ending.is_some_and(|ending| ENDINGS.contains(&ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(read: &[&str], filter: &[&str]) -> Result<Inputs> {
        let owned = |words: &[&str]| words.iter().map(|&word| word.into()).collect();
        let args = InputArgs { read: owned(read), order: ReadOrder::Time, filter: owned(filter) };
        Inputs::new(args, &Messages::to_stderr())
    }

    #[test]
    fn words_behind_the_files_are_the_filter() {
        let inputs = inputs(&["a.pcap", "b.pcapng", "tcp", "port 25"], &[]).expect("inputs");
        assert_eq!(inputs.files, [Path::new("a.pcap"), Path::new("b.pcapng")]);
        assert_eq!(inputs.filter.as_deref(), Some("tcp port 25"));
    }

    #[test]
    fn a_file_needs_no_extension_if_it_is_there() {
        let inputs = inputs(&["nowhere", "Cargo.toml", "ip6"], &[]).expect("inputs");
        assert_eq!(inputs.files, [Path::new("nowhere"), Path::new("Cargo.toml")]);
        assert_eq!(inputs.filter.as_deref(), Some("ip6"));
    }

    #[test]
    fn several_words_in_one_are_the_filter() {
        let inputs = inputs(&["a.pcap"], &["host example.pcap"]).expect("inputs");
        assert_eq!(inputs.filter.as_deref(), Some("host example.pcap"));
    }

    #[test]
    fn the_last_word_may_be_a_file_that_is_not_there() {
        let inputs = inputs(&["a.pcap"], &["b.pcap"]).expect("inputs");
        assert_eq!(inputs.files, [Path::new("a.pcap"), Path::new("b.pcap")]);
        assert_eq!(inputs.filter, None);
    }

    #[test]
    fn a_file_behind_the_filter_is_told() {
        let error = inputs(&["a.pcap", "udp", "Cargo.toml"], &[]).expect_err("a late file");
        assert!(error.to_string().contains("`Cargo.toml` is a file behind the filter"));
    }
}
