//! The working directory.

/// Longest path that is kept, in bytes.
pub(crate) const PATH_MAX: usize = 960;

/// The directory that relative names begin in: from the root, or relative to where the session began.
#[derive(Debug, Default)]
pub(crate) struct Directory(Vec<u8>);

impl Directory {
    /// The full path of a name, and whether it was cut at its limit. RFC 959 leaves the form of names to the
    /// server; this is that of Unix, which all but a few have.
    pub(crate) fn path_of(&self, name: &[u8]) -> (Vec<u8>, bool) {
        if matches!(name, [_, b':', ..]) || name.starts_with(b"\\") {
            let end = name.len().min(PATH_MAX);
            return (name.get(..end).unwrap_or_default().to_vec(), end < name.len());
        }
        let mut path = if name.starts_with(b"/") { b"/".to_vec() } else { self.0.clone() };
        for part in name.split(|byte| *byte == b'/') {
            match part {
                b"" | b"." => {}
                b".." => ascend(&mut path),
                part => {
                    if !path.is_empty() && !path.ends_with(b"/") {
                        path.push(b'/');
                    }
                    path.extend_from_slice(part);
                }
            }
        }
        let cut = path.len() > PATH_MAX;
        path.truncate(PATH_MAX);
        (path, cut)
    }

    /// CWD and CDUP.
    pub(crate) fn enter(&mut self, name: &[u8]) {
        self.0 = self.path_of(name).0;
    }

    /// The reply to PWD (RFC 959 Appendix II): the path in quotation marks, and one in it twice.
    pub(crate) fn told(&mut self, message: &[u8]) {
        let Some(rest) = message.strip_prefix(b"\"") else {
            return;
        };
        let mut path = Vec::new();
        let mut bytes = rest.iter().copied().peekable();
        while let Some(byte) = bytes.next() {
            if byte == b'"' && bytes.next_if_eq(&b'"').is_none() {
                self.enter(&path);
                return;
            }
            path.push(byte);
        }
    }

    pub(crate) fn path(&self) -> Option<&[u8]> {
        (!self.0.is_empty()).then_some(&*self.0)
    }
}

/// Takes the last part off. Above where the session began, nothing is known.
fn ascend(path: &mut Vec<u8>) {
    let last = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    if last == b".." || path.is_empty() {
        path.extend_from_slice(if path.is_empty() { b".." } else { b"/.." });
        return;
    }
    let rest = path.len() - last.len();
    path.truncate(rest);
    if path.len() > 1 {
        path.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::{Directory, PATH_MAX};

    fn path(directory: &str, name: &str) -> String {
        let mut from = Directory::default();
        from.enter(directory.as_bytes());
        String::from_utf8(from.path_of(name.as_bytes()).0).expect("a path")
    }

    #[test]
    fn names_are_put_behind_the_directory() {
        assert_eq!(path("/pub", "a"), "/pub/a");
        assert_eq!(path("/pub", "/a"), "/a");
        assert_eq!(path("", "a/./b//c"), "a/b/c");
        assert_eq!(path("pub", "../a"), "a");
        assert_eq!(path("/pub", "../../.."), "/");
        assert_eq!(path("", "../../a"), "../../a");
        assert_eq!(path("/", "a"), "/a");
        assert_eq!(path("/pub", "C:\\a"), "C:\\a");
    }

    #[test]
    fn replies_to_pwd() {
        let told = |message: &str| {
            let mut directory = Directory::default();
            directory.told(message.as_bytes());
            directory.path().map(<[u8]>::to_vec)
        };
        assert_eq!(told("\"/\" is current directory."), Some(b"/".to_vec()));
        assert_eq!(told("\"/a\"\"b\""), Some(b"/a\"b".to_vec()));
        assert_eq!(told("\"/a"), None);
        assert_eq!(told("/a"), None);
    }

    #[test]
    fn long_paths_are_cut_and_marked() {
        let mut directory = Directory::default();
        for _ in 0..100 {
            directory.enter(&[b'x'; 100]);
        }
        let (path, cut) = directory.path_of(b"y");
        assert!(cut && path.len() == PATH_MAX);
    }
}
