//! Any journal: no entry comes out of it that was not written. The property stands in
//! `smp_tests::fuzz::checkpoint`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| smp_tests::fuzz::checkpoint::run(data));
