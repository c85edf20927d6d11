//! Any file of a release: it is read or refused, within bounds. The property is defined in
//! `smp_tests::fuzz::packages`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| smp_tests::fuzz::packages::run(data));
