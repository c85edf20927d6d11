//! Any request: a permitted one stays below the declared path, however a server reads it. The
//! property is defined in `smp_tests::fuzz::policy`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| smp_tests::fuzz::policy::run(data));
