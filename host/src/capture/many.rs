//! Several capture files as one run.

use std::{
    collections::BTreeMap,
    fs,
    iter::Enumerate,
    path::{Path, PathBuf},
    vec,
};

use flowcell_core::{LinkType, RawFrame, Timestamp};

use super::{CaptureError, FileSource, Filter, Frame, Next, Source, Stats};

/// The most files that are open at a time.
pub const MAX_OPEN: usize = 256;

/// In which order the frames of several files come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// By time. Frames of the same time come in the order in which their files were given. The frames
    /// of one file stay in the order in which they are, even where its clock goes back.
    #[default]
    Time,
    /// All of the first file, then all of the second, and so on.
    Given,
}

/// Reads files, numbers their frames through, and applies a filter.
///
/// To merge files by time, each is first opened to see when it starts, closed again unless it is a
/// pipe, and opened for good when the run has come to that time: of files that follow each other, as
/// tcpdump's rotation makes them, one is open at a time. When [`MAX_OPEN`] are open, one more is left
/// out with an error.
///
/// A file that cannot be read, or only in part, is an error of that file: called again,
/// [`next`](Source::next) goes on with the others. A filter that does not fit a link type is reported
/// once per file, and those frames do not pass.
#[derive(Debug)]
pub struct Files {
    order: Order,
    /// The most files that are open at a time.
    most: usize,
    /// Files of which it is not known when they start.
    unseen: Enumerate<vec::IntoIter<PathBuf>>,
    /// Files that are not open, by when they start.
    waiting: BTreeMap<Key, PathBuf>,
    /// Open files but the current one, by the time of their next frame.
    open: BTreeMap<Key, Open>,
    /// The file of the frame that was yielded last.
    current: Option<(Key, Open)>,
    filter: Option<Filter>,
    /// Frames read from all files so far.
    frames: u64,
    filtered: u64,
    /// Interfaces of which a frame was read.
    interfaces: u32,
}

/// What decides whose frame is next: the time, then the place among the files given.
type Key = (Timestamp, usize);

#[derive(Debug)]
struct Open {
    source: Box<FileSource>,
    /// Link types that were reported as not fit for the filter.
    unfit: Vec<LinkType>,
}

impl Open {
    /// Opens a file and moves to its first frame; `None` if it has none.
    fn start(path: &Path) -> Result<Option<(Timestamp, Self)>, CaptureError> {
        let mut source = Box::new(FileSource::open(path)?);
        source.advance()?;
        Ok(source.time().map(|ts| (ts, Self { source, unfit: Vec::new() })))
    }
}

impl Files {
    /// Makes a run of `paths`; `-` is standard input.
    #[must_use]
    pub fn new(paths: Vec<PathBuf>, order: Order, filter: Option<Filter>) -> Self {
        // The times of a single file need not be known.
        let order = if paths.len() > 1 { order } else { Order::Given };
        Self {
            order,
            most: MAX_OPEN,
            unseen: paths.into_iter().enumerate(),
            waiting: BTreeMap::new(),
            open: BTreeMap::new(),
            current: None,
            filter,
            frames: 0,
            filtered: 0,
            interfaces: 0,
        }
    }

    #[cfg(test)]
    pub(super) fn with_most_open(mut self, most: usize) -> Self {
        self.most = most;
        self
    }

    /// Moves to the next frame that passes, as long as the filter does not reject too many before it.
    fn advance(&mut self) -> Result<Advance, CaptureError> {
        for _ in 0..LOOK_UP_AFTER {
            if let Some((index, path)) = self.unseen.next() {
                self.look_at(index, path)?;
            } else if !self.step()? {
                return Ok(Advance::End);
            } else if self.passes()? {
                return Ok(Advance::Frame);
            }
        }
        Ok(Advance::Filtered)
    }

    /// Finds out when a file starts.
    fn look_at(&mut self, index: usize, path: PathBuf) -> Result<(), CaptureError> {
        if self.order == Order::Given {
            self.waiting.insert((Timestamp(0), index), path);
            return Ok(());
        }
        if !can_be_opened_again(&path) {
            return self.open(index, &path);
        }
        if let Some((ts, _)) = Open::start(&path)? {
            self.waiting.insert((ts, index), path);
        }
        Ok(())
    }

    fn open(&mut self, index: usize, path: &Path) -> Result<(), CaptureError> {
        if self.open.len() + usize::from(self.current.is_some()) >= self.most {
            return Err(CaptureError::TooManyOpen { file: path.to_owned(), limit: self.most });
        }
        if let Some((ts, file)) = Open::start(path)? {
            self.open.insert((ts, index), file);
        }
        Ok(())
    }

    /// Moves to the next frame, and returns whether there is one.
    fn step(&mut self) -> Result<bool, CaptureError> {
        if let Some(((_, index), mut file)) = self.current.take() {
            file.source.advance()?;
            self.current = file.source.time().map(|ts| ((ts, index), file));
        }
        while let Some(((_, index), path)) = self.pop_due() {
            if let Err(error) = self.open(index, &path) {
                self.open.extend(self.current.take()); // its frame is still to come
                return Err(error);
            }
        }
        if let Some(first) = self.open.first_entry()
            && self.current.as_ref().is_none_or(|(key, _)| first.key() < key)
        {
            let first = first.remove_entry();
            if let Some((key, file)) = self.current.replace(first) {
                self.open.insert(key, file);
            }
        }
        self.frames += u64::from(self.current.is_some());
        Ok(self.current.is_some())
    }

    /// Takes the next file whose turn has come.
    fn pop_due(&mut self) -> Option<(Key, PathBuf)> {
        let waiting = self.waiting.first_entry()?;
        let current = self.current.as_ref().map(|(key, _)| key);
        let next = current.into_iter().chain(self.open.keys().next()).min();
        let due = match self.order {
            Order::Time => next.is_none_or(|next| waiting.key() < next),
            Order::Given => next.is_none(),
        };
        due.then(|| waiting.remove_entry())
    }

    /// Returns whether the filter lets the current frame through.
    fn passes(&mut self) -> Result<bool, CaptureError> {
        let Some((_, file)) = &mut self.current else { return Ok(false) };
        file.source.number_interface(&mut self.interfaces);
        let (Some(filter), Some(frame)) = (&mut self.filter, file.source.current()) else {
            return Ok(true);
        };
        let link = frame.raw.link;
        let message = match filter.passes(link, frame.raw.bytes) {
            Ok(true) => return Ok(true),
            Ok(false) => None,
            Err(message) => Some(message.to_owned()),
        };
        self.filtered += 1;
        match message {
            Some(message) if !file.unfit.contains(&link) => {
                file.unfit.push(link);
                Err(CaptureError::FilterLink {
                    file: file.source.file().to_owned(),
                    filter: filter.expression().to_owned(),
                    link: link.0,
                    frame: file.source.frames(),
                    message,
                })
            }
            _ => Ok(false),
        }
    }
}

/// Whether a file can be read from its start twice, which a pipe cannot. One that is not there can: that
/// is told when it is opened.
fn can_be_opened_again(path: &Path) -> bool {
    let kind = fs::metadata(path);
    path != Path::new("-") && kind.map_or(true, |kind| kind.is_file() || kind.is_dir())
}

/// Files that are looked at and frames that are rejected in a row before the caller may look around.
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
                let number = self.frames;
                let frame = self.current.as_ref().and_then(|(_, file)| file.source.current());
                match frame {
                    Some(frame) => {
                        Next::Frame(Frame { raw: RawFrame { number, ..frame.raw }, ..frame })
                    }
                    None => Next::End,
                }
            }
        })
    }

    fn stats(&mut self) -> Stats {
        Stats { received: self.frames, filtered: self.filtered, ..Stats::default() }
    }
}
