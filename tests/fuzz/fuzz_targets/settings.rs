//! Any settings: no key gets into the part for the component. The property is defined in
//! `smp_tests::fuzz::settings`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| smp_tests::fuzz::settings::run(data));
