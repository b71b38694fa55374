//! Which of the words after `-r` are files, and where the filter begins.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::args::InputArgs;
use crate::capture::Filter;

/// What to read.
#[derive(Debug)]
pub(super) struct Inputs {
    pub(super) files: Vec<PathBuf>,
    /// As typed.
    pub(super) filter: Option<String>,
}

impl Inputs {
    /// `-r a.pcap b.pcap tcp port 25`: the words up to the first that is no file are files. A word
    /// that looks like a path but is not there stays a file, so that a misspelt name is told as such.
    pub(super) fn new(args: InputArgs) -> Result<Self> {
        let mut words = args.read.into_iter().peekable();
        let mut files = Vec::new();
        if let Some(first) = words.next() {
            files.push(first.into()); // whatever it is: -r wants a file
        }
        while let Some(word) = words.next_if(|word| is_file(word)) {
            files.push(word.into());
        }
        let filter: Vec<String> = words.chain(args.filter).collect();
        if let Some(late) = filter.iter().skip(1).find(|word| Path::new(word).is_file()) {
            bail!("`{late}` is a file behind the filter; name files right after -r");
        }
        let filter = (!filter.is_empty()).then(|| filter.join(" "));
        Ok(Self { files, filter })
    }

    /// The filter for files, compiled.
    pub(super) fn compiled_filter(&self) -> Result<Option<Filter>> {
        Ok(self.filter.as_deref().map(Filter::new).transpose()?)
    }
}

fn is_file(word: &str) -> bool {
    let path = Path::new(word);
    let looks_like_one = word == "-"
        || path.extension().is_some_and(|extension| {
            ["pcap", "pcapng", "cap", "dmp", "gz", "zst"].iter().any(|known| extension == *known)
        });
    looks_like_one || (path.exists() && !path.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(read: &[&str], filter: &[&str]) -> Result<Inputs> {
        let owned = |words: &[&str]| words.iter().map(|&word| word.into()).collect();
        Inputs::new(InputArgs { read: owned(read), filter: owned(filter) })
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
    fn a_file_behind_the_filter_is_told() {
        let error = inputs(&["a.pcap", "udp", "Cargo.toml"], &[]).expect_err("a late file");
        assert!(error.to_string().contains("`Cargo.toml` is a file behind the filter"));
    }
}
