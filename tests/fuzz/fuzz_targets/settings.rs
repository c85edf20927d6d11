//! Any settings: no key gets into the part that the component is given. The property stands in
//! `smp_tests::fuzz::settings`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| smp_tests::fuzz::settings::run(data));
