//! Any recording: it is refused, or gives every answer that it holds. The property stands in
//! `smp_tests::fuzz::har`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| smp_tests::fuzz::har::run(data));
