use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::Barrier;
use std::thread;

use super::*;

const LIMIT: u64 = 1 << 20;
const KEY: [u8; 32] = [7; 32];

/// A folder that is gone with this.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("flowcell-cache-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn folder(&self) -> PathBuf {
        self.0.join("cache")
    }

    fn cache(&self) -> Cache {
        Cache::open(self.folder(), LIMIT).unwrap()
    }

    fn refusal(&self) -> String {
        Cache::open(self.folder(), LIMIT).unwrap_err().to_string()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_is_put_in_comes_out_under_its_key() {
    let scratch = Scratch::new("round-trip");
    let cache = scratch.cache();
    assert_eq!(cache.get(&KEY), None);
    cache.put(&KEY, b"code").unwrap();
    assert_eq!(cache.get(&KEY), Some(b"code".to_vec()));
    assert_eq!(cache.get(&[8; 32]), None);
    assert_eq!(scratch.cache().get(&KEY), Some(b"code".to_vec()), "in the next run too");
    cache.put(&KEY, b"newer").unwrap();
    assert_eq!(cache.get(&KEY), Some(b"newer".to_vec()));
}

#[test]
fn nobody_else_can_read_or_write_it() {
    let scratch = Scratch::new("modes");
    let cache = scratch.cache();
    cache.put(&KEY, b"code").unwrap();
    assert_eq!(mode(&scratch.folder()), 0o700);
    assert_eq!(mode(&cache.path(&KEY)), 0o600);
    assert_eq!(mode(&scratch.folder().join(SECRET)), 0o600);
    let names = fs::read_dir(scratch.folder()).unwrap().count();
    assert_eq!(names, 2, "nothing unfinished stays");
}

#[test]
fn a_folder_that_others_can_write_to_is_refused() {
    let scratch = Scratch::new("writable");
    for mode in [0o770, 0o702, 0o777] {
        drop(scratch.cache());
        set_mode(&scratch.folder(), mode);
        let refusal = scratch.refusal();
        assert!(refusal.contains("other users can write to it"), "{refusal}");
        assert!(refusal.contains("--no-cache"), "{refusal}");
        set_mode(&scratch.folder(), 0o700);
    }
}

#[test]
fn what_is_no_folder_of_ours_is_refused() {
    let scratch = Scratch::new("odd");
    let elsewhere = scratch.0.join("elsewhere");
    drop(Cache::open(elsewhere.clone(), LIMIT).unwrap());
    symlink(&elsewhere, scratch.folder()).unwrap();
    let refusal = scratch.refusal();
    assert!(refusal.contains("it is a symbolic link"), "{refusal}");
    fs::remove_file(scratch.folder()).unwrap();
    fs::write(scratch.folder(), b"").unwrap();
    scratch.refusal();
}

#[test]
fn another_user_s_folder_is_refused() {
    let scratch = Scratch::new("owner");
    drop(scratch.cache());
    if std::os::unix::fs::chown(scratch.folder(), Some(us() + 1), None).is_err() {
        println!("skipped: only root can give a folder away");
        return;
    }
    let refusal = scratch.refusal();
    assert!(refusal.contains("it belongs to another user"), "{refusal}");
}

#[test]
fn an_entry_with_any_other_byte_is_a_miss() {
    let scratch = Scratch::new("bytes");
    let cache = scratch.cache();
    cache.put(&KEY, b"some code").unwrap();
    let path = cache.path(&KEY);
    let good = fs::read(&path).unwrap();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        fs::write(&path, &bad).unwrap();
        assert_eq!(cache.get(&KEY), None, "byte {at} is another");
    }
    for end in 0..good.len() {
        fs::write(&path, &good[..end]).unwrap();
        assert_eq!(cache.get(&KEY), None, "cut to {end}");
    }
    fs::write(&path, [&good[..], b"x"].concat()).unwrap();
    assert_eq!(cache.get(&KEY), None, "longer");
    fs::write(&path, &good).unwrap();
    assert_eq!(cache.get(&KEY), Some(b"some code".to_vec()), "as it was");
}

#[test]
fn an_entry_that_others_could_have_written_is_a_miss() {
    let scratch = Scratch::new("entry");
    let cache = scratch.cache();
    cache.put(&KEY, b"code").unwrap();
    let path = cache.path(&KEY);
    set_mode(&path, 0o620);
    assert_eq!(cache.get(&KEY), None, "others can write to it");
    set_mode(&path, 0o600);
    let moved = scratch.0.join("moved");
    fs::rename(&path, &moved).unwrap();
    symlink(&moved, &path).unwrap();
    assert_eq!(cache.get(&KEY), None, "a link");
    // An entry under another one's name.
    fs::remove_file(&path).unwrap();
    fs::rename(&moved, cache.path(&[8; 32])).unwrap();
    assert_eq!(cache.get(&[8; 32]), None, "another key's");
    // The same entry made without the key: another folder has another one.
    let other = Scratch::new("entry-other");
    other.cache().put(&KEY, b"code").unwrap();
    fs::copy(other.cache().path(&KEY), &path).unwrap();
    assert_eq!(cache.get(&KEY), None, "made with another key");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(cache.get(&KEY), None, "a folder");
    assert!(cache.put(&KEY, b"code").is_err(), "and nothing can take its place");
}

#[test]
fn a_key_that_others_could_read_is_replaced() {
    let scratch = Scratch::new("secret");
    let path = scratch.folder().join(SECRET);
    let cache = scratch.cache();
    cache.put(&KEY, b"code").unwrap();
    set_mode(&path, 0o640);
    let next = scratch.cache();
    assert_ne!(next.secret, cache.secret);
    assert_eq!((next.get(&KEY), mode(&path)), (None, 0o600));
    fs::write(&path, b"short").unwrap();
    assert_ne!(scratch.cache().secret, next.secret);
    assert_eq!(fs::metadata(&path).unwrap().len(), 32);
}

#[test]
fn what_was_not_used_for_longest_goes() {
    let scratch = Scratch::new("size");
    let cache = Cache::open(scratch.folder(), 4 * (100 + HEAD)).unwrap();
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
    for number in 0..4u8 {
        cache.put(&[number; 32], &[number; 100]).unwrap();
        let entry = File::open(cache.path(&[number; 32])).unwrap();
        entry.set_modified(long_ago + Duration::from_secs(number.into())).unwrap();
    }
    assert!(cache.get(&[0; 32]).is_some(), "used now");
    cache.put(&[4; 32], &[4; 100]).unwrap();
    let there = |number: u8| cache.path(&[number; 32]).exists();
    assert_eq!([0, 1, 2, 3, 4].map(there), [true, false, true, true, true]);
    // One that would be too much by itself is not kept, and costs no other its place.
    cache.put(&[5; 32], &[5; 1000]).unwrap();
    assert_eq!([0, 2, 3, 4, 5].map(there), [true, true, true, true, false]);
}

#[test]
fn what_nobody_finished_is_cleared_away() {
    let scratch = Scratch::new("unfinished");
    let cache = scratch.cache();
    let (abandoned, file) = unfinished(&scratch.folder()).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    let (in_use, _file) = unfinished(&scratch.folder()).unwrap();
    cache.put(&KEY, b"code").unwrap();
    assert_eq!((abandoned.exists(), in_use.exists()), (false, true));
}

#[test]
fn many_can_write_the_same_entry() {
    let scratch = Scratch::new("many");
    let start = Barrier::new(8);
    // Each has opened the folder itself, as processes do.
    let secrets: Vec<[u8; 32]> = thread::scope(|scope| {
        let one = |number: u8| {
            let (start, scratch) = (&start, &scratch);
            scope.spawn(move || {
                start.wait();
                let cache = scratch.cache();
                for _ in 0..50 {
                    cache.put(&KEY, &[number; 5000]).unwrap();
                    if let Some(code) = cache.get(&KEY) {
                        assert!(code == [code[0]; 5000], "one writer's, and the whole of it");
                    }
                }
                cache.secret
            })
        };
        let threads: Vec<_> = (0..8).map(one).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(secrets.windows(2).all(|pair| pair[0] == pair[1]), "they agree on the key");
    assert!(scratch.cache().get(&KEY).is_some());
}
