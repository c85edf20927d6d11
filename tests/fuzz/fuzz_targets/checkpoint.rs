//! Any journal: reading it gives only entries that were written. The property is defined in
//! `smp_tests::fuzz::checkpoint`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| smp_tests::fuzz::checkpoint::run(data));
