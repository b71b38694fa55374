//! Request targets (RFC 9112 §3.2) and the authority in them.

use crate::emit::MASK;
use crate::text::{same, split, split_last};

/// The authority of an absolute URI (RFC 3986 §3.2) without the user in it.
pub(crate) fn authority(uri: &[u8]) -> Option<&[u8]> {
    let (_, host) = split_last(raw_authority(uri)?, b'@');
    Some(host)
}

/// Hides the password of an absolute URI (RFC 3986 §3.2.1).
pub(crate) fn mask_password(uri: &mut Vec<u8>) {
    let Some(authority) = raw_authority(uri) else {
        return;
    };
    let (Some(user), host) = split_last(authority, b'@') else {
        return;
    };
    let (name, Some(_)) = split(user, b':') else {
        return;
    };
    // The authority is a part of the URI: what stands behind it is as long as what it is found in
    // less what stands in front of it.
    let Some(start) = find(uri, b"://") else {
        return;
    };
    let rest = uri.get(start + authority.len()..).unwrap_or_default();
    let front = uri.get(..start).unwrap_or_default();
    *uri = [front, name, b":", MASK, b"@", host, rest].concat();
}

/// Whether the field Host names the authority of the target, if that has one.
pub(crate) fn agrees(uri: &[u8], host: &[u8]) -> bool {
    let bare = |authority| match split_last(authority, b':') {
        (Some(name), b"80") => name,
        _ => authority,
    };
    authority(uri).is_none_or(|authority| bare(authority).eq_ignore_ascii_case(bare(host)))
}

fn raw_authority(uri: &[u8]) -> Option<&[u8]> {
    if uri.starts_with(b"/") {
        return None; // most are a path
    }
    let start = find(uri, b"://")?;
    let (scheme, rest) = uri.split_at_checked(start)?;
    let known = same(scheme, "http://") || same(scheme, "https://") || same(scheme, "ftp://");
    let end = rest.iter().position(|byte| b"/?#".contains(byte)).unwrap_or(rest.len());
    rest.get(..end).filter(|authority| known && !authority.is_empty())
}

/// Where the text behind the first `part` starts.
fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    let at = text.windows(part.len()).position(|window| window == part)?;
    Some(at + part.len())
}

/// The file name in Content-Disposition (RFC 6266 §4.1), as it stands there.
pub(crate) fn filename(disposition: &[u8]) -> Option<&[u8]> {
    let mut rest = disposition;
    let mut plain = None;
    loop {
        let at = rest.iter().position(|byte| *byte == b';')?;
        rest = rest.get(at + 1..)?.trim_ascii_start();
        let (name, Some(value)) = split(rest, b'=') else {
            return plain;
        };
        let value = value.trim_ascii_start();
        let value = match value.strip_prefix(b"\"") {
            Some(quoted) => split(quoted, b'"').0,
            None => split(value, b';').0.trim_ascii_end(),
        };
        if same(name.trim_ascii_end(), "filename") {
            plain = Some(value);
        }
        if plain.is_some() {
            return plain;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{agrees, authority, filename, mask_password};

    fn masked(uri: &str) -> String {
        let mut uri = uri.as_bytes().to_vec();
        mask_password(&mut uri);
        String::from_utf8(uri).expect("UTF-8")
    }

    #[test]
    fn authorities() {
        let of = |uri: &'static str| authority(uri.as_bytes());
        assert_eq!(of("http://a.b:81/c"), Some(&b"a.b:81"[..]));
        assert_eq!(of("HTTP://u:p@a.b?x"), Some(&b"a.b"[..]));
        assert_eq!(of("/a?u=http://b/"), None);
        assert_eq!(of("http:///a"), None);
        assert_eq!(of("*"), None);
    }

    #[test]
    fn passwords_in_a_uri_are_masked() {
        assert_eq!(masked("http://u:p@h/x:y@z"), "http://u:***@h/x:y@z");
        assert_eq!(masked("http://u:a@b@h"), "http://u:***@h");
        for plain in ["http://u@h/", "/a?b=http://u:p@h/", "http://h:80/@", "h:443", "://"] {
            assert_eq!(masked(plain), plain);
        }
    }

    #[test]
    fn host_and_target() {
        assert!(agrees(b"/x", b"a") && agrees(b"http://A:80/x", b"a"));
        assert!(!agrees(b"http://a:81/x", b"a"));
    }

    #[test]
    fn file_names() {
        let of = |text: &'static str| filename(text.as_bytes());
        assert_eq!(of("attachment; filename=\"a b;c.txt\"; x=y"), Some(&b"a b;c.txt"[..]));
        assert_eq!(of("inline;FileName = a.txt ; x"), Some(&b"a.txt"[..]));
        assert_eq!(of("form-data; name=\"f\"; filename=x"), Some(&b"x"[..]));
        for none in ["", "attachment", "attachment; x", "attachment; filename*=UTF-8''x", ";;;="] {
            assert_eq!(of(none), None, "{none}");
        }
    }
}
