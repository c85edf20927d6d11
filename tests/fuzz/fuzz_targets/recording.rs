//! Any traffic: a recording is read back, without the people in it. The property is defined in
//! `smp_tests::fuzz::recording`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| smp_tests::fuzz::recording::run(data));
