//! Imports WASI preview 1, as a core module of C or Go does, and tells in its descriptor what that
//! answers. It does no harm: the tests seal it. `make test-components` leaves it a core module.

#[cfg(target_family = "wasm")]
#[expect(unsafe_code, reason = "preview 1 has no bindings that are safe")]
mod preview_1 {
    #[repr(C)]
    struct Piece {
        text: *const u8,
        length: usize,
    }

    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    unsafe extern "C" {
        fn args_sizes_get(count: *mut u32, size: *mut u32) -> i32;
        fn clock_time_get(id: i32, precision: i64, time: *mut u64) -> i32;
        fn random_get(to: *mut u8, length: usize) -> i32;
        fn fd_prestat_get(fd: i32, to: *mut u8) -> i32;
        fn fd_write(fd: i32, pieces: *const Piece, count: usize, to: *mut usize) -> i32;
        fn path_unlink_file(fd: i32, path: *const u8, length: usize) -> i32;
    }

    /// Each question, and its answer as text.
    pub(super) fn answers() -> Vec<(String, String)> {
        let (mut count, mut size, mut first, mut then, mut bytes) = (9, 9, 0, 0, [0; 3]);
        // SAFETY: every pointer is to a local variable of the size that preview 1 writes.
        let prestat = unsafe {
            args_sizes_get(&raw mut count, &raw mut size);
            clock_time_get(1, 0, &raw mut first);
            clock_time_get(1, 0, &raw mut then);
            random_get(bytes.as_mut_ptr(), bytes.len());
            fd_prestat_get(3, bytes.as_mut_ptr())
        };
        [
            ("arguments", format!("{count} {size}")),
            ("clock", format!("{}", then - first)),
            ("random", format!("{bytes:?}")),
            ("folders", format!("{prestat}")),
        ]
        .map(|(question, answer)| (question.to_owned(), answer))
        .to_vec()
    }

    /// Writes a text in two pieces. Returns how many bytes were written.
    pub(super) fn say(fd: i32) -> usize {
        let (one, two) = ("one lïne\n".as_bytes(), b"and \xff more\n");
        let pieces = [one, two].map(|text| Piece { text: text.as_ptr(), length: text.len() });
        let mut written = 0;
        // SAFETY: the pieces live until the call is over.
        unsafe { fd_write(fd, pieces.as_ptr(), pieces.len(), &raw mut written) };
        written
    }

    /// Asks for what traps.
    pub(super) fn reach_out() {
        // SAFETY: nothing is read through a path without length.
        unsafe { path_unlink_file(3, std::ptr::dangling(), 0) };
    }
}

use hostile::{Account, Connector, Descriptor, Failure, Report, Setting};

struct Preview1;

impl Connector for Preview1 {
    #[cfg(target_family = "wasm")]
    fn describe() -> Descriptor {
        Descriptor { attributes: preview_1::answers(), ..hostile::descriptor() }
    }

    #[cfg(not(target_family = "wasm"))]
    fn describe() -> Descriptor {
        hostile::descriptor()
    }

    fn validate(_: Vec<Setting>) -> Report {
        #[cfg(target_family = "wasm")]
        let written = preview_1::say(1) + preview_1::say(2);
        #[cfg(not(target_family = "wasm"))]
        let written = 0;
        hostile::report(vec![hostile::check(Ok(format!("{written} bytes.")))])
    }

    fn connect(settings: Vec<Setting>) -> Result<Account, Failure> {
        #[cfg(target_family = "wasm")]
        preview_1::reach_out();
        let id = hostile::organization(&settings);
        Ok(Account { id, name: "Preview".into(), attributes: vec![] })
    }
}

hostile::component!(Preview1);
