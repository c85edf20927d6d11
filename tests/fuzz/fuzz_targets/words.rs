//! Any text: times, escapes, cursors and origins are read as by a second reader. The property is
//! defined in `smp_tests::fuzz::words`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| smp_tests::fuzz::words::run(data));
