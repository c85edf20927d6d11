//! Any traffic: what is recorded is read back, without the people in it. The property stands in
//! `smp_tests::fuzz::recording`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| smp_tests::fuzz::recording::run(data));
