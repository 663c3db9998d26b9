//! The program under ten thousand clients that never finish a request: it serves on, in bounded
//! memory, and stops when told to.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use crate::client::answer_to;

const SLOW_CLIENTS: u64 = 10_000;
/// Of the program's whole memory.
const RESIDENT_KIB_MAX: u64 = 300 << 10;

struct Program {
    child: Child,
    address: String,
}

impl Program {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hatchery-engine"))
            .args(["serve", "--port", "0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().expect("its output is ours");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("it says where it listens");
        let address = line.trim().rsplit_once("http://").expect("an address").1;
        Program {
            address: address.to_owned(),
            child,
        }
    }

    fn resident_kib(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).expect("the program runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        kib.and_then(|kib| kib.trim().parse().ok())
            .expect("a number of KiB")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn ten_thousand_slow_connections_are_borne() {
    let files = rlimit::increase_nofile_limit(SLOW_CLIENTS + 500).expect("a limit");
    let clients = SLOW_CLIENTS.min(files.saturating_sub(500));
    assert!(clients >= 500, "this system lets nobody open {files} files");
    let program = Program::start();
    let slow: Vec<TcpStream> = (0..clients)
        .map(|number| {
            let mut stream = TcpStream::connect(&program.address).expect("a place");
            let part: &[u8] = match number % 3 {
                0 => b"",
                1 => b"POST /api/v3/canister/aaaaa-aa/query HTTP/1.1\r\nhost: x\r\nx-",
                _ => b"POST /api/v3/canister/aaaaa-aa/query HTTP/1.1\r\nhost: x\r\ncontent-length: 2000000\r\n\r\npart",
            };
            // Those that had to go are no longer written to.
            drop(stream.write_all(part));
            stream
        })
        .collect();
    for _ in 0..20 {
        let url = format!("http://{}/api/v2/status", program.address);
        assert_eq!(answer_to(minreq::get(url)).status, 200);
    }
    let resident_kib = program.resident_kib();
    assert!(resident_kib < RESIDENT_KIB_MAX, "{resident_kib} KiB");
    drop(slow);
}
