//! Request targets (RFC 9112 §3.2) and the authority in them.

use flowcell_sdk::MASK;
use memchr::{memchr, memmem};

use crate::text::{same, split, split_last};

/// The authority of an absolute URI (RFC 3986 §3.2) without the user in it.
pub(crate) fn authority(uri: &[u8]) -> Option<&[u8]> {
    let (_, host) = split_last(raw_authority(uri)?, b'@');
    Some(host)
}

/// Longest authority without a password, in bytes: a host name (RFC 1035 §2.3.4) with a port and a user.
const AUTHORITY_MAX: usize = 512;

/// Hides passwords (RFC 3986 §3.2.1) in a URI of any scheme or of none, in those that it has in its query,
/// and in an authority that stands alone.
pub(crate) fn mask_passwords(text: &mut Vec<u8>) {
    if memchr(b':', text).is_none() {
        return; // most are a path
    }
    let mut shown = Vec::new();
    let mut rest = text.as_slice();
    // Without a scheme, what is no path starts with the authority.
    let mut start = match (rest.starts_with(b"//"), rest.starts_with(b"/"), find(rest, b"://")) {
        (true, _, _) => Some(2),
        (false, true, found) => found,
        (false, false, found) => Some(found.unwrap_or(0)),
    };
    while let Some((front, behind)) = start.and_then(|start| rest.split_at_checked(start)) {
        let end = behind.iter().position(|byte| b"/?#".contains(byte)).unwrap_or(behind.len());
        let (authority, behind) = behind.split_at(end);
        shown.extend_from_slice(front);
        add_masked(&mut shown, authority);
        rest = behind;
        start = find(rest, b"://");
    }
    shown.extend_from_slice(rest);
    *text = shown;
}

/// The same in each word of a text.
pub(crate) fn mask_words(text: &mut Vec<u8>) {
    let is_between = |byte: &u8| b" \t\"<>".contains(byte);
    let words = text.split_inclusive(is_between).map(|word| {
        let (bare, between) = match word.split_last() {
            Some((last, bare)) if is_between(last) => (bare, Some(*last)),
            _ => (word, None),
        };
        let mut bare = bare.to_vec();
        mask_passwords(&mut bare);
        bare.extend(between);
        bare
    });
    *text = words.collect::<Vec<_>>().concat();
}

/// Adds an authority without its password.
fn add_masked(shown: &mut Vec<u8>, authority: &[u8]) {
    let (user, host) = split_last(authority, b'@');
    // What is too long to be a host may be a password whose end was cut.
    let cut = user.is_none() && authority.len() > AUTHORITY_MAX;
    match split(user.unwrap_or(if cut { host } else { b"" }), b':') {
        (name, Some(_)) if !same(name, "mailto") => {
            shown.extend_from_slice(name);
            shown.push(b':');
            shown.extend_from_slice(MASK.as_bytes());
            if !cut {
                shown.push(b'@');
                shown.extend_from_slice(host);
            }
        }
        _ => shown.extend_from_slice(authority),
    }
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
    Some(memmem::find(text, part)? + part.len())
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
    use super::{AUTHORITY_MAX, agrees, authority, filename, mask_passwords, mask_words};

    fn masked(uri: &str) -> String {
        let mut uri = uri.as_bytes().to_vec();
        mask_passwords(&mut uri);
        String::from_utf8(uri).expect("UTF-8")
    }

    fn masked_words(text: &str) -> String {
        let mut text = text.as_bytes().to_vec();
        mask_words(&mut text);
        String::from_utf8(text).expect("UTF-8")
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
        assert_eq!(masked("WS://u:p@h"), "WS://u:***@h");
        assert_eq!(masked("//u:p@h/"), "//u:***@h/");
        assert_eq!(masked("u:p@h:443"), "u:***@h:443");
        assert_eq!(masked("/a?b=http://u:p@h/&c=x://u:p@h"), "/a?b=http://u:***@h/&c=x://u:***@h");
        let plain = [
            "http://u@h/",
            "http://h:80/@",
            "h:443",
            "://",
            "",
            "/a:b@c",
            "mailto:a@b",
            "[::1]:80",
            "http://h/a//b:c@d",
        ];
        for plain in plain {
            assert_eq!(masked(plain), plain);
            assert_eq!(masked_words(plain), plain);
        }
        let long = format!("http://u:{}", "p".repeat(AUTHORITY_MAX));
        assert_eq!(masked(&long), "http://u:***", "the end was cut");
        let via = "1.1 http://u:p@h, \"u:p@i\" for=u:p@j";
        assert_eq!(masked_words(via), "1.1 http://u:***@h, \"u:***@i\" for=u:***@j");
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
