//! Imports WASI 0.2, as toolchains make it, and tells in its descriptor what that answers. It does
//! no harm: the tests seal it.

#[cfg(target_family = "wasm")]
#[expect(unsafe_code, reason = "the export of a function beside the contract's")]
mod wasi {
    wit_bindgen::generate!({
        inline: r#"
package test:guest;

world guest {
    import wasi:cli/environment@0.2.6;
    import wasi:cli/stdin@0.2.6;
    import wasi:cli/stdout@0.2.6;
    import wasi:cli/stderr@0.2.6;
    import wasi:clocks/monotonic-clock@0.2.6;
    import wasi:clocks/wall-clock@0.2.6;
    import wasi:random/random@0.2.6;
    import wasi:random/insecure-seed@0.2.6;
    import wasi:filesystem/preopens@0.2.6;
    import wasi:sockets/instance-network@0.2.6;
    export additional: func();
}

package wasi:io@0.2.6 {
    interface poll {
        resource pollable { block: func(); ready: func() -> bool; }
        poll: func(in: list<borrow<pollable>>) -> list<u32>;
    }
    interface error { resource error { to-debug-string: func() -> string; } }
    interface streams {
        use error.{error};
        use poll.{pollable};
        variant stream-error { last-operation-failed(error), closed }
        resource input-stream {
            read: func(len: u64) -> result<list<u8>, stream-error>;
            skip: func(len: u64) -> result<u64, stream-error>;
        }
        resource output-stream {
            check-write: func() -> result<u64, stream-error>;
            blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>;
            subscribe: func() -> pollable;
        }
    }
}

package wasi:cli@0.2.6 {
    interface environment {
        get-environment: func() -> list<tuple<string, string>>;
        get-arguments: func() -> list<string>;
        initial-cwd: func() -> option<string>;
    }
    interface stdin {
        use wasi:io/streams@0.2.6.{input-stream};
        get-stdin: func() -> input-stream;
    }
    interface stdout {
        use wasi:io/streams@0.2.6.{output-stream};
        get-stdout: func() -> output-stream;
    }
    interface stderr {
        use wasi:io/streams@0.2.6.{output-stream};
        get-stderr: func() -> output-stream;
    }
}

package wasi:clocks@0.2.6 {
    interface monotonic-clock {
        use wasi:io/poll@0.2.6.{pollable};
        now: func() -> u64;
        subscribe-duration: func(when: u64) -> pollable;
    }
    interface wall-clock {
        record datetime { seconds: u64, nanoseconds: u32 }
        now: func() -> datetime;
    }
}

package wasi:random@0.2.6 {
    interface random {
        get-random-bytes: func(len: u64) -> list<u8>;
        get-random-u64: func() -> u64;
    }
    interface insecure-seed { insecure-seed: func() -> tuple<u64, u64>; }
}

package wasi:filesystem@0.2.6 {
    interface types { resource descriptor { sync: func(); } }
    interface preopens {
        use types.{descriptor};
        get-directories: func() -> list<tuple<descriptor, string>>;
    }
}

package wasi:sockets@0.2.6 {
    interface network { resource network; }
    interface instance-network {
        use network.{network};
        instance-network: func() -> network;
    }
}
"#,
        world: "guest",
        generate_all,
    });

    use self::wasi::cli::{environment, stderr, stdin, stdout};
    use self::wasi::clocks::{monotonic_clock, wall_clock};
    use self::wasi::filesystem::preopens;
    use self::wasi::io::poll;
    use self::wasi::io::streams::OutputStream;
    use self::wasi::random::{insecure_seed, random};
    use self::wasi::sockets::instance_network;

    struct Additional;

    impl Guest for Additional {
        fn additional() {}
    }

    export!(Additional);

    /// Each question, and its answer as text.
    pub(super) fn answers() -> Vec<(String, String)> {
        let (input, sleep) = (stdin::get_stdin(), monotonic_clock::subscribe_duration(1_000));
        sleep.block();
        let other = stdout::get_stdout().subscribe();
        let ready = poll::poll(&[&sleep, &other]);
        let (first, then) = (monotonic_clock::now(), monotonic_clock::now());
        let date = wall_clock::now();
        let all: [(&str, String); 13] = [
            ("environment", format!("{:?}", environment::get_environment())),
            ("arguments", format!("{:?}", environment::get_arguments())),
            ("folder", format!("{:?}", environment::initial_cwd())),
            ("input", format!("{}", input.read(10).is_err())),
            ("skipped", format!("{}", input.skip(10).is_err())),
            ("ready", format!("{ready:?} {}", sleep.ready())),
            ("clock", format!("{}", then - first)),
            ("year", format!("{}", 1970 + date.seconds / 31_556_952)),
            ("random", format!("{:?}", random::get_random_bytes(3))),
            ("number", format!("{}", random::get_random_u64() == random::get_random_u64())),
            ("seed", format!("{:?}", insecure_seed::insecure_seed())),
            ("folders", format!("{}", preopens::get_directories().len())),
            ("room", format!("{:?}", stdout::get_stdout().check_write().ok())),
        ];
        all.map(|(question, answer)| (question.to_owned(), answer)).to_vec()
    }

    fn write(to: &OutputStream, pieces: &[&[u8]]) {
        for piece in pieces {
            let _ = to.blocking_write_and_flush(piece);
        }
    }

    /// Writes lines in pieces, one that is no UTF-8, and one that is longer than a line may be.
    pub(super) fn say() {
        write(&stdout::get_stdout(), &[b"one ", "lïne\n".as_bytes(), b"and \xff more\n"]);
        // The 2,048th byte is in the middle of a character.
        let long = "x".repeat(2_047) + "ï" + &"y".repeat(950);
        write(&stderr::get_stderr(), &[long.as_bytes(), b"\nlast\n"]);
    }

    /// Asks for what traps.
    pub(super) fn reach_out() {
        drop(instance_network::instance_network());
    }
}

use hostile::{Account, Connector, Descriptor, Failure, Report, Setting};

struct Wasi;

impl Connector for Wasi {
    #[cfg(target_family = "wasm")]
    fn describe() -> Descriptor {
        Descriptor { attributes: wasi::answers(), ..hostile::descriptor() }
    }

    #[cfg(not(target_family = "wasm"))]
    fn describe() -> Descriptor {
        hostile::descriptor()
    }

    fn validate(_: Vec<Setting>) -> Report {
        #[cfg(target_family = "wasm")]
        wasi::say();
        hostile::report(vec![hostile::check(Ok("It spoke.".into()))])
    }

    fn connect(settings: Vec<Setting>) -> Result<Account, Failure> {
        #[cfg(target_family = "wasm")]
        wasi::reach_out();
        let id = hostile::organization(&settings);
        Ok(Account { id, name: "Wasi".into(), attributes: vec![] })
    }
}

hostile::component!(Wasi);
