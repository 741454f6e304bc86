//! A SOCKS5 proxy that reaches the relay from an address of its own, so that a search for that
//! address shows whether the relay keeps where people come from.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    thread,
};

use anyhow::{Context, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpSocket, TcpStream},
    runtime,
    sync::oneshot,
};

/// Where people come from, as the relay sees them.
pub const PEOPLE_IP: Ipv4Addr = Ipv4Addr::new(127, 77, 0, 9);

/// A proxy, until it is dropped.
pub struct Proxy {
    address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

impl Proxy {
    /// Starts it.
    pub fn start() -> anyhow::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = serve(listener) => {}
                    _ = stopped => {}
                }
            });
        });
        Ok(Self {
            address,
            _stop: stop,
        })
    }

    /// As `--proxy` wants it.
    pub fn url(&self) -> String {
        format!("socks5h://{}", self.address)
    }
}

async fn serve(listener: std::net::TcpListener) -> anyhow::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(relay(stream));
    }
}

async fn relay(mut person: TcpStream) -> anyhow::Result<()> {
    let port = handshake(&mut person).await?;
    let socket = TcpSocket::new_v4()?;
    socket.bind((IpAddr::from(PEOPLE_IP), 0).into())?;
    let dialled = socket.connect((Ipv4Addr::LOCALHOST, port).into()).await;
    let reply = if dialled.is_ok() { 0 } else { 5 };
    person
        .write_all(&[5, reply, 0, 1, 0, 0, 0, 0, 0, 0])
        .await?;
    copy_bidirectional(&mut person, &mut dialled?).await?;
    Ok(())
}

/// The port that is asked for: every host is this machine.
async fn handshake(person: &mut TcpStream) -> anyhow::Result<u16> {
    let [version, methods] = read::<2>(person).await?;
    ensure!(version == 5, "not SOCKS5");
    skip(person, methods.into()).await?;
    person.write_all(&[5, 2]).await?;
    let [_, name] = read::<2>(person).await?;
    skip(person, name.into()).await?;
    let [password] = read::<1>(person).await?;
    skip(person, password.into()).await?;
    person.write_all(&[1, 0]).await?;
    let [.., host] = read::<5>(person).await?;
    skip(person, host.into()).await?;
    Ok(u16::from_be_bytes(read(person).await?))
}

async fn skip(stream: &mut TcpStream, bytes: usize) -> anyhow::Result<()> {
    stream
        .read_exact(&mut vec![0; bytes])
        .await
        .context("the client went away")?;
    Ok(())
}

async fn read<const N: usize>(stream: &mut TcpStream) -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}
