//! Inline commands: a line of words, quoted as Redis' own `sdssplitargs` takes them.

use crate::words::Words;

/// Splits a line into words; `None` if quotes do not match.
pub(crate) fn split(line: &[u8]) -> Option<Words> {
    let mut words = Words { inline: true, ..Words::default() };
    let mut bytes = line.iter().copied().peekable();
    let mut word = Vec::new();
    loop {
        while bytes.next_if(|byte| is_space(*byte)).is_some() {}
        if bytes.peek().is_none() {
            return Some(words);
        }
        word.clear();
        while let Some(byte) = bytes.next_if(|byte| !is_space(*byte)) {
            if byte != b'"' && byte != b'\'' {
                word.push(byte);
                continue;
            }
            loop {
                match bytes.next()? {
                    end if end == byte => break,
                    b'\\' if byte == b'"' => word.push(escaped(&mut bytes)?),
                    b'\\' if bytes.next_if_eq(&b'\'').is_some() => word.push(b'\''),
                    other => word.push(other),
                }
            }
            // A closing quote ends the word.
            if bytes.peek().is_some_and(|next| !is_space(*next)) {
                return None;
            }
        }
        words.count += 1;
        words.push(&word, word.len() as u64);
    }
}

/// What stands behind a backslash in double quotes.
fn escaped(bytes: &mut std::iter::Peekable<impl Iterator<Item = u8> + Clone>) -> Option<u8> {
    Some(match bytes.next()? {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'a' => 7,
        b'x' => {
            let mut ahead = bytes.clone();
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            match (digit(ahead.next()), digit(ahead.next())) {
                (Some(high), Some(low)) => {
                    *bytes = ahead;
                    u8::try_from(high << 4 | low).unwrap_or_default()
                }
                _ => b'x',
            }
        }
        other => other,
    })
}

fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0 || byte == 11
}

#[cfg(test)]
mod tests {
    use super::split;

    fn words(line: &str) -> Option<Vec<Vec<u8>>> {
        Some(split(line.as_bytes())?.kept.into_iter().map(|word| word.bytes).collect())
    }

    #[test]
    fn words_and_quotes() {
        assert_eq!(words(" set  a\tb "), Some(vec![b"set".to_vec(), b"a".to_vec(), b"b".to_vec()]));
        assert_eq!(words(""), Some(vec![]));
        let quoted = words(r#"x "a \"b\x41\x4\n" 'c\'d' e"f""#);
        let expected = [&b"x"[..], b"a \"bAx4\n", b"c'd", b"ef"];
        assert_eq!(quoted, Some(expected.map(<[u8]>::to_vec).to_vec()));
        for bad in ["\"a", "'a", "\"a\"b", "\"a\\"] {
            assert_eq!(words(bad), None, "{bad}");
        }
    }
}
