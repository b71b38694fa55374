//! Machine code that was made before.
//!
//! Whoever loads machine code runs it, so a folder of it is as good as a folder of programs. It is
//! used only if it belongs to this user and nobody else can write to it; each entry carries an
//! authentication code with a key that only this user can read; and whatever is odd about an entry
//! makes it a miss, never an error.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use super::mac::Mac;

/// Starts an entry: magic 8, key 32, length of the code 8, authentication code 32.
const MAGIC: [u8; 8] = *b"fc-entry";
const HEAD: u64 = 8 + 32 + 8 + 32;

/// Ends the name of an entry.
const SUFFIX: &str = ".code";

/// Begins the name of a file that is still being written.
const UNFINISHED: &str = ".new-";

/// After this time nobody is writing it any more.
const ABANDONED: Duration = Duration::from_hours(1);

/// The file with the key of the authentication codes.
const SECRET: &str = "key";

/// A folder that is not used as a cache.
#[derive(Debug, thiserror::Error)]
#[error(
    "{folder}: not used as a cache of compiled parsers: {problem} (--cache DIR names another, \
     --no-cache none)",
    folder = folder.display()
)]
pub struct CacheError {
    folder: PathBuf,
    problem: String,
}

/// A private folder of machine code.
#[derive(Clone)]
pub struct Cache {
    folder: PathBuf,
    secret: [u8; 32],
    /// Bytes of all entries together.
    limit: u64,
}

impl Cache {
    /// Opens a folder, and makes it if it is not there. At most `limit` bytes of entries stay in it.
    ///
    /// # Errors
    /// When it is not this user's alone, or can not be used.
    pub fn open(folder: PathBuf, limit: u64) -> Result<Self, CacheError> {
        let opened = private_folder(&folder).and_then(|()| secret(&folder));
        match opened {
            Ok(secret) => Ok(Self { folder, secret, limit }),
            Err(problem) => Err(CacheError { folder, problem: problem.to_string() }),
        }
    }

    /// Where this user's cache is by custom: `flowcell` in `$XDG_CACHE_HOME`, or in `~/.cache`. None
    /// where that would be in somebody else's folder, as with the environment that `sudo` keeps.
    #[must_use]
    pub fn usual_folder() -> Option<PathBuf> {
        let named =
            |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let caches =
            named("XDG_CACHE_HOME").or_else(|| named("HOME").map(|home| home.join(".cache")))?;
        let there = caches.ancestors().find_map(|path| fs::metadata(path).ok())?;
        (there.uid() == us()).then(|| caches.join("flowcell"))
    }

    /// The code of this key, if it is there beyond doubt.
    pub(super) fn get(&self, key: &[u8; 32]) -> Option<Vec<u8>> {
        let (file, length) = open_own(&self.path(key), self.limit.saturating_add(HEAD)).ok()?;
        let take = |length: u64| {
            let mut bytes = Vec::new();
            (&file).take(length).read_to_end(&mut bytes).ok()?;
            (bytes.len() as u64 == length).then_some(bytes)
        };
        let head = take(HEAD)?;
        let code = take(length.checked_sub(HEAD)?)?;
        let (about, mac) = head.split_at_checked(8 + 32 + 8)?;
        if about != about_entry(key, &code) {
            return None;
        }
        if mac != self.mac(about, &code) {
            return None;
        }
        // What is used stays longest. If it can not be noted, it goes sooner.
        let _ = file.set_modified(SystemTime::now());
        Some(code)
    }

    /// Keeps `code`, and forgets what was not used for longest if it is too much.
    pub(super) fn put(&self, key: &[u8; 32], code: &[u8]) -> io::Result<()> {
        let length = (code.len() as u64).saturating_add(HEAD);
        if length > self.limit {
            return Ok(());
        }
        let about = about_entry(key, code);
        let mac = self.mac(&about, code);
        let (path, mut file) = unfinished(&self.folder)?;
        let written =
            [&about[..], &mac, code].into_iter().try_for_each(|part| file.write_all(part));
        let placed = written.and_then(|()| fs::rename(&path, self.path(key)));
        if placed.is_err() {
            let _ = fs::remove_file(&path);
        }
        placed.and_then(|()| self.tidy())
    }

    /// Brings the folder back to its size.
    fn tidy(&self) -> io::Result<()> {
        let now = SystemTime::now();
        let mut entries = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            // Another process may have removed it.
            let Ok((entry, data)) = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)))
            else {
                continue;
            };
            let name = entry.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let used = data.modified().unwrap_or(now);
            if name.ends_with(SUFFIX) {
                entries.push((used, data.len(), entry));
            } else if name.starts_with(UNFINISHED)
                && now.duration_since(used).is_ok_and(|age| age > ABANDONED)
            {
                let _ = fs::remove_file(entry);
            }
        }
        let mut total =
            entries.iter().fold(0u64, |sum, (_, length, _)| sum.saturating_add(*length));
        entries.sort();
        for (_, length, path) in entries {
            if total <= self.limit {
                break;
            }
            if fs::remove_file(path).is_ok() {
                total -= length;
            }
        }
        Ok(())
    }

    fn path(&self, key: &[u8; 32]) -> PathBuf {
        let name: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        self.folder.join(name + SUFFIX)
    }

    fn mac(&self, about: &[u8], code: &[u8]) -> [u8; 32] {
        let mut mac = Mac::new(&self.secret);
        mac.update(about);
        mac.update(code);
        mac.finish()
    }
}

fn about_entry(key: &[u8; 32], code: &[u8]) -> Vec<u8> {
    [&MAGIC[..], key, &(code.len() as u64).to_le_bytes()].concat()
}

fn us() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The folder is there, and nobody else can put something into it.
fn private_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let data = fs::symlink_metadata(folder)?;
    let problem = if data.is_symlink() {
        "it is a symbolic link"
    } else if !data.is_dir() {
        "it is no folder"
    } else if data.uid() != us() {
        "it belongs to another user"
    } else if data.mode() & 0o022 != 0 {
        "other users can write to it; chmod 700 would help"
    } else {
        return Ok(());
    };
    Err(io::Error::other(problem))
}

/// Opens a file that nobody else can have written, of at most `longest` bytes; returns its length.
fn open_own(path: &Path, longest: u64) -> io::Result<(File, u64)> {
    // A pipe in its place must not hold the program up.
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let data = file.metadata()?;
    let own =
        data.is_file() && data.uid() == us() && data.mode() & 0o022 == 0 && data.len() <= longest;
    if own { Ok((file, data.len())) } else { Err(io::Error::other("not ours alone")) }
}

/// A new file that only this user can read.
fn unfinished(folder: &Path) -> io::Result<(PathBuf, File)> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = folder.join(format!("{UNFINISHED}{}-{number}", std::process::id()));
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    Ok((path, file))
}

/// Reads the key of the authentication codes. If there is none, or others could have read it, a new
/// one takes its place: the entries made with the old one are misses then.
fn secret(folder: &Path) -> io::Result<[u8; 32]> {
    let path = folder.join(SECRET);
    if let Some(secret) = read_secret(&path) {
        return Ok(secret);
    }
    let mut secret = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut secret)?;
    let (new, mut file) = unfinished(folder)?;
    let placed = file.write_all(&secret).and_then(|()| {
        // A link replaces nothing: what another process has put there meanwhile counts.
        fs::hard_link(&new, &path).or_else(|error| match error.kind() {
            io::ErrorKind::AlreadyExists if read_secret(&path).is_some() => Ok(()),
            _ => fs::rename(&new, &path),
        })
    });
    let _ = fs::remove_file(&new);
    placed?;
    read_secret(&path).ok_or_else(|| io::Error::other("its key can not be read"))
}

fn read_secret(path: &Path) -> Option<[u8; 32]> {
    let (mut file, length) = open_own(path, 32).ok()?;
    let mut secret = [0; 32];
    file.read_exact(&mut secret).ok()?;
    let private = file.metadata().is_ok_and(|data| data.mode() & 0o077 == 0);
    (length == 32 && private).then_some(secret)
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { folder, limit, .. } = self;
        f.debug_struct("Cache")
            .field("folder", folder)
            .field("limit", limit)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
