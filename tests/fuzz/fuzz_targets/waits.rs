//! Any answers to a retried request: waits stay within the budget. The property is defined in
//! `smp_tests::fuzz::waits`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| smp_tests::fuzz::waits::run(data));
