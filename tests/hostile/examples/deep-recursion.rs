//! Recurses until the stack ends: `connect` with locals only, which fill the host's stack for
//! WebAssembly, and `collect-members` with arrays, which fill the compiler's stack in linear
//! memory.

use std::hint::black_box;

use hostile::{Account, Connector, Failure, MemberPage, Setting, failure};

struct DeepRecursion;

impl Connector for DeepRecursion {
    fn connect(_: Vec<Setting>) -> Result<Account, Failure> {
        Err(failure(&deeper(0, black_box(u64::MAX)).to_string()))
    }

    fn collect(_: Vec<Setting>, _: Option<String>) -> Result<MemberPage, Failure> {
        Err(failure(&wider([1; 256]).to_string()))
    }
}

/// The compiler would turn a tail call, or one without a result, into a loop.
#[inline(never)]
fn deeper(depth: u64, end: u64) -> u64 {
    if depth == end { 0 } else { deeper(depth + 1, end).rotate_left(7) ^ depth }
}

#[expect(unconditional_recursion, reason = "that is what it is for")]
#[inline(never)]
fn wider(mut array: [u8; 256]) -> u8 {
    black_box(&mut array);
    wider(array).wrapping_add(array.iter().fold(0, |sum, byte| sum ^ byte))
}

hostile::component!(DeepRecursion);
