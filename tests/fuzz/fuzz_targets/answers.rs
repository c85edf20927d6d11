//! Any answers: the connector's core ends within bounds, and repeats none of their texts. The
//! property is defined in `smp_tests::fuzz::answers`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| smp_tests::fuzz::answers::run(data));
