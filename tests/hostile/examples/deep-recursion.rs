//! Calls itself until there is no stack: `connect` with locals alone, which fills the host's stack for WebAssembly, and `collect-members`
//! with arrays, which fill the stack that the compiler keeps in linear memory.

use std::hint::black_box;

use hostile::{Account, Connector, Failure, MemberPage, Setting, failure};

struct DeepRecursion;

impl Connector for DeepRecursion {
    fn connect(_: Vec<Setting>) -> Result<Account, Failure> {
        Err(failure(&deeper(black_box(1)).to_string()))
    }

    fn collect(_: Vec<Setting>, _: Option<String>) -> Result<MemberPage, Failure> {
        Err(failure(&wider([1; 256]).to_string()))
    }
}

#[expect(unconditional_recursion, reason = "that is what it is for")]
#[inline(never)]
fn deeper(depth: u64) -> u64 {
    deeper(depth.wrapping_mul(3)).wrapping_add(depth)
}

#[expect(unconditional_recursion, reason = "that is what it is for")]
#[inline(never)]
fn wider(mut array: [u8; 256]) -> u8 {
    black_box(&mut array);
    wider(array).wrapping_add(array.iter().fold(0, |sum, byte| sum ^ byte))
}

hostile::component!(DeepRecursion);
