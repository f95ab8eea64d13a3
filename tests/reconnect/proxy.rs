//! Stands between a client and the server, and cuts the line in the middle of anything.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What is going to be cut, all told by the seed.
#[derive(Debug)]
struct Plan {
    random: u64,
    cuts: u32,
    connections: u32,
}

/// A proxy in front of the server.
#[derive(Debug, Clone)]
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    plan: Arc<Mutex<Plan>>,
}

/// How a connection is going to end.
#[derive(Debug, Clone, Copy)]
struct Cut {
    /// After so many bytes to the server.
    up: usize,
    /// Or after so many to the client.
    down: usize,
    /// Whether the server is left with an open socket.
    half: bool,
}

impl Plan {
    fn draw(&mut self, below: u64) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % below
    }

    fn next(&mut self) -> Option<Cut> {
        self.connections += 1;
        self.cuts = self.cuts.checked_sub(1)?;
        let (up, down) = (self.draw(4000) as usize + 1, self.draw(4000) as usize + 1);
        Some(Cut { up, down, half: self.draw(2) == 0 })
    }
}

impl Proxy {
    /// One that cuts the first connections, and leaves those after them alone.
    pub(crate) async fn start(server: SocketAddr, seed: u64, cuts: u32) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let plan = Arc::new(Mutex::new(Plan { random, cuts, connections: 0 }));
        let proxy = Self { address, plan: plan.clone() };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let cut = plan.lock().unwrap().next();
                let server = TcpStream::connect(server).await.unwrap();
                client.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                tokio::spawn(carry(client, server, cut));
            }
        });
        proxy
    }

    /// How many connections there were, those that were cut in the upgrade, too.
    pub(crate) fn connections(&self) -> u32 {
        self.plan.lock().unwrap().connections
    }
}

async fn carry(mut client: TcpStream, mut server: TcpStream, cut: Option<Cut>) {
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    tokio::select! {
        () = forward(from_client, to_server, cut.map(|cut| cut.up)) => {}
        () = forward(from_server, to_client, cut.map(|cut| cut.down)) => {}
    }
    drop(client);
    if cut.is_some_and(|cut| cut.half) {
        // The server finds out when the client has come back.
        let _ = tokio::io::copy(&mut server, &mut tokio::io::sink()).await;
    }
}

async fn forward(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, bytes: Option<usize>) {
    let mut left = bytes.unwrap_or(usize::MAX);
    let mut buffer = [0; 1024];
    while left > 0 {
        let most = left.min(buffer.len());
        match from.read(&mut buffer[..most]).await {
            Ok(read @ 1..) if to.write_all(&buffer[..read]).await.is_ok() => left -= read,
            _ => return,
        }
    }
}
