//! Damaged conversations never panic, and do not depend on segments.
#![expect(clippy::expect_used, reason = "a test that can not be set up fails")]

include!("../../mail/testing/mutated.rs");

#[test]
fn damaged_scripts() {
    check(&imap::PARSER, &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"), 500);
}
