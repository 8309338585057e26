//! Over real sockets, by a client that can say anything.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::*;
use crate::web::listen::Address;
use crate::web::settings::Settings;

struct Running {
    address: std::net::SocketAddr,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<io::Result<()>>>,
}

fn start(adjust: impl FnOnce(&mut Site) + Send + 'static) -> Running {
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let (send, address) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = Listener::bind(&"127.0.0.1:0".parse::<Address>().unwrap()).unwrap();
            send.send(listener.local_addr().unwrap()).unwrap();
            let mut site = Site {
                name: "test-exporter",
                about: "Tests",
                version: "0",
                registry: Arc::new(Registry::default()),
                live: Live::fixed(Settings::default()),
                own: Arc::default(),
                limits: Limits::default(),
                telemetry_path: "/metrics".to_owned(),
                enable_lifecycle: false,
                timeout_offset: Duration::from_millis(250),
                scrape_limit: Duration::from_secs(10),
            };
            adjust(&mut site);
            serve(Arc::new(site), vec![listener], stopped).await
        })
    });
    let address = address.recv().unwrap();
    Running { address, stop: Some(stop), thread: Some(thread) }
}

impl Running {
    fn say(&self, text: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let _ = stream.write_all(text);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn stop(mut self) -> io::Result<()> {
        let _ = self.stop.take().unwrap().send(());
        self.thread.take().unwrap().join().unwrap()
    }
}

#[test]
fn serves_a_scrape() {
    let server = start(|_| {});
    let answer = server.say(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n# HELP up One.\n# TYPE up gauge\nup 1\n"), "{answer}");
    server.stop().unwrap();
}
