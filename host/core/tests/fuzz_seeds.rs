//! Every fuzz target on its seeds and on random bytes.
use flowcell_core::fuzzing::TARGETS;
#[test]
fn random() {
    for (name, target) in TARGETS {
        let mut x = 7u64;
        for i in 0..10_000 {
            let mut bytes = Vec::new();
            for _ in 0..(i % 400) {
                x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                bytes.push((x >> 33) as u8);
            }
            if i < 3 {
                println!("{name}");
            }
            target(&bytes);
        }
    }
}
