//! Puts together what two lists say of the same things.

/// A thing that both lists have, or one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pair<A, B> {
    /// Both have it.
    Both(A, B),
    /// Only the first list has it.
    Ours(A),
    /// Only the second list has it.
    Theirs(B),
}

/// Pairs what is the same, in order, so that as many pairs as possible come about.
pub fn pairs<'a, A, B>(
    ours: &'a [A],
    theirs: &'a [B],
    same: impl Fn(&A, &B) -> bool,
) -> Vec<Pair<&'a A, &'a B>> {
    // What is the same at both ends needs no search, which takes the product of the lengths.
    let start = ours.iter().zip(theirs).take_while(|(one, other)| same(one, other)).count();
    let (head, ours) = ours.split_at(start);
    let (other_head, theirs) = theirs.split_at(start);
    let mut pairs: Vec<_> =
        head.iter().zip(other_head).map(|(one, other)| Pair::Both(one, other)).collect();
    // longest[i][j]: how many pairs there are from ours[i..] and theirs[j..].
    let mut longest = vec![vec![0_usize; theirs.len() + 1]; ours.len() + 1];
    for (i, one) in ours.iter().enumerate().rev() {
        for (j, other) in theirs.iter().enumerate().rev() {
            longest[i][j] = if same(one, other) {
                longest[i + 1][j + 1] + 1
            } else {
                longest[i + 1][j].max(longest[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while let (Some(one), Some(other)) = (ours.get(i), theirs.get(j)) {
        if same(one, other) {
            pairs.push(Pair::Both(one, other));
            (i, j) = (i + 1, j + 1);
        } else if longest[i + 1][j] >= longest[i][j + 1] {
            pairs.push(Pair::Ours(one));
            i += 1;
        } else {
            pairs.push(Pair::Theirs(other));
            j += 1;
        }
    }
    pairs.extend(ours[i..].iter().map(Pair::Ours));
    pairs.extend(theirs[j..].iter().map(Pair::Theirs));
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paired(ours: &str, theirs: &str) -> String {
        let (ours, theirs): (Vec<_>, Vec<_>) = (ours.chars().collect(), theirs.chars().collect());
        let shown =
            pairs(&ours, &theirs, |one, other| one == other).into_iter().map(|pair| match pair {
                Pair::Both(one, _) => one.to_string(),
                Pair::Ours(one) => format!("+{one}"),
                Pair::Theirs(other) => format!("-{other}"),
            });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn as_much_as_possible_is_paired_in_order() {
        assert_eq!(paired("abc", "abc"), "a b c");
        assert_eq!(paired("abxcd", "abcyd"), "a b +x c -y d");
        assert_eq!(paired("ab", "ba"), "+a b -a");
        assert_eq!(paired("", "ab"), "-a -b");
        assert_eq!(paired("aab", "ab"), "a +a b");
    }
}
