//! Any recording: it is refused, or gives every answer in it. The property is defined in
//! `smp_tests::fuzz::har`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| smp_tests::fuzz::har::run(data));
