//! Several capture files as one run.

use std::{path::PathBuf, vec};

use flowcell_core::LinkType;

use super::{CaptureError, FileSource, Filter, Next, Source, Stats};

/// Reads files in the order given, numbers their frames through, and applies a filter.
///
/// A file that cannot be read, or only in part, is an error of that file: called again,
/// [`next`](Source::next) goes on with the file after it. A filter that does not fit a link type
/// is reported once per file, and those frames do not pass.
#[derive(Debug)]
pub struct Files {
    rest: vec::IntoIter<PathBuf>,
    current: Option<FileSource>,
    filter: Option<Filter>,
    /// Link types of the current file that were reported as not fit for the filter.
    unfit: Vec<LinkType>,
    /// Frames read from all files so far.
    frames: u64,
    filtered: u64,
}

impl Files {
    /// Makes a run of `paths`; `-` is standard input. Each file is opened when its turn comes.
    #[must_use]
    pub fn new(paths: Vec<PathBuf>, filter: Option<Filter>) -> Self {
        Self {
            rest: paths.into_iter(),
            current: None,
            filter,
            unfit: Vec::new(),
            frames: 0,
            filtered: 0,
        }
    }

    /// Moves to the next frame that passes, as long as the filter does not reject too many before it.
    fn advance(&mut self) -> Result<Advance, CaptureError> {
        for _ in 0..LOOK_UP_AFTER {
            let file = match &mut self.current {
                Some(file) => file,
                None => {
                    let Some(path) = self.rest.next() else { return Ok(Advance::End) };
                    self.unfit.clear();
                    self.current.insert(FileSource::open(path)?.after(self.frames))
                }
            };
            match file.advance() {
                Ok(true) => self.frames += 1,
                Ok(false) => {
                    self.current = None;
                    continue;
                }
                Err(error) => {
                    self.current = None;
                    return Err(error);
                }
            }
            let (Some(filter), Some(frame)) = (&mut self.filter, file.current()) else {
                return Ok(Advance::Frame);
            };
            let link = frame.raw.link;
            let message = match filter.passes(link, frame.raw.bytes) {
                Ok(true) => return Ok(Advance::Frame),
                Ok(false) => None,
                Err(message) => Some(message.to_owned()),
            };
            self.filtered += 1;
            if let Some(message) = message
                && !self.unfit.contains(&link)
            {
                self.unfit.push(link);
                return Err(CaptureError::FilterLink {
                    file: file.file().to_owned(),
                    filter: filter.expression().to_owned(),
                    link: link.0,
                    frame: file.frames(),
                    message,
                });
            }
        }
        Ok(Advance::Filtered)
    }
}

/// Frames that are rejected in a row before the caller may look around.
const LOOK_UP_AFTER: usize = 4096;

/// Where [`Files::advance`] has got to.
enum Advance {
    Frame,
    Filtered,
    End,
}

impl Source for Files {
    fn next(&mut self) -> Result<Next<'_>, CaptureError> {
        Ok(match self.advance()? {
            Advance::End => Next::End,
            Advance::Filtered => Next::Filtered,
            Advance::Frame => {
                self.current.as_ref().and_then(FileSource::current).map_or(Next::End, Next::Frame)
            }
        })
    }

    fn stats(&mut self) -> Stats {
        Stats { received: self.frames, filtered: self.filtered, ..Stats::default() }
    }
}
